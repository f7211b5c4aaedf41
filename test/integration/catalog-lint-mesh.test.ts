import { afterEach, beforeEach, expect, test } from 'vitest';
import { lintCatalog } from '../../src/catalog/lint-catalog.ts';
import type { RuleSettings } from '../../src/catalog/rules/offering-rules.ts';
import { lintDirectory, type LintDirectory, planHead, serviceHead as head } from '../support/lint-catalog.ts';

let catalog: LintDirectory;
beforeEach(async () => {
  catalog = await lintDirectory();
});
afterEach(() => catalog.remove());
const lint = async (text: string, options: Partial<RuleSettings> = {}): Promise<string[]> => {
  await catalog.write('orders.yaml', text);
  return catalog.lint(options);
};

test('existing callers of another trust domain than the mesh’s are noted with the form that fits this mesh', async () => {
  const callers = '  existing_callers: [ns/web/sa/a, mesh.example.com/ns/web/sa/b]\n';
  const noted = (trustDomain: string): Promise<string[]> => lint(head + callers + planHead, { mesh: { trustDomain } });
  expect(await noted('mesh.example.com')).toEqual([]);
  expect(await noted('cluster.local')).toEqual([
    'orders.yaml:10:35: note: service.existing_callers[1]: "mesh.example.com/ns/web/sa/b" is of trust domain mesh.example.com, and this mesh\'s is cluster.local (MESHBROKER_TRUST_DOMAIN); write ns/web/sa/b for a workload of this mesh, or it is shut out; for one of a federated mesh nothing need be done',
  ]);
  expect(await lint(head + callers + planHead)).toEqual([]);
});
test('a service in the mesh’s root namespace is refused where that is known', async () => {
  const text = head.replace('namespace: shop', 'namespace: mesh-root').replace('orders.shop', 'orders.mesh-root') + planHead;
  expect(await lint(text, { mesh: { trustDomain: 'cluster.local', rootNamespace: 'istio-system' } })).toEqual([]);
  expect(await lint(text, { mesh: { trustDomain: 'cluster.local', rootNamespace: 'mesh-root' } })).toEqual([
    "orders.yaml:5:14: error: service.namespace: mesh-root is the mesh's root namespace, where objects would count for the whole mesh; run the service in another namespace, or correct MESHBROKER_ROOT_NAMESPACE",
  ]);
});
test('Bookinfo names its callers without a trust domain, so that it fits every mesh', async () => {
  const problems = await lintCatalog(new URL('../../examples/bookinfo', import.meta.url).pathname, {
    mesh: { trustDomain: 'any.example' },
  });
  expect(problems.filter(({ what }) => what.includes('existing_callers'))).toEqual([]);
});
