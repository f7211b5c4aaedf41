import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { installPointHook, type PointName } from '../../src/kernel/points.ts';
import { guardName } from '../../src/mesh/object-metadata.ts';
import { gitopsMesh } from '../../src/mesh/drivers/gitops/gitops-mesh.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type OsbClient, type Settled } from '../support/osb-client.ts';

let app: TestApp;
let client: OsbClient;
let directory: string;
let root: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshbroker-verify-'));
  root = join(directory, 'tree');
  app = await createTestApp({ driver: gitopsMesh({ directory: root, remote: null, branch: 'main' }, (work) => work()) });
  client = osbClient(app.url, app.platform);
});
afterEach(() => installPointHook(undefined));
afterAll(async () => {
  await app.close();
  await rm(directory, { recursive: true, force: true });
});

const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const consumer = { kind: 'sidecar', namespace: 'web', service_account: 'web-frontend' };
/** Its grant is one file of the tree. */
const offering = 'ratings';
async function bound(instance: string, beforeBind: () => void = () => undefined): Promise<Settled> {
  const ids = await client.planIds(offering);
  await client.provision(instance, ids);
  beforeBind();
  return client.bind(instance, `${instance}-b`, { ...ids, parameters: { consumer } });
}
async function grantFiles(): Promise<readonly string[]> {
  return (await readdir(root, { recursive: true })).filter((file) => /authorizationpolicy-mb-[a-z2-7]{20}[^/]*\.yaml$/.test(file));
}
async function attemptsOf(kind: string): Promise<number | undefined> {
  const query = 'select attempts from operation where kind = $1 order by created_at desc limit 1';
  return (await app.database.run<{ attempts: number }>(query, [kind])).rows[0]?.attempts;
}
/** By hand, when the point is passed for the first to the n-th time. */
function byHand(name: PointName, times: number, work: () => Promise<void>): void {
  let passed = 0;
  installPointHook(async (reached) => {
    if (reached !== name || passed === times) return;
    const done = passed + 1;
    await work();
    passed = done;
  });
}
async function openToAll(): Promise<void> {
  for (const file of await grantFiles()) {
    const text = await readFile(join(root, file), 'utf8');
    const open = text.replace(/mesh\.example\.com\/ns\/web\/sa\/[a-z-]+/, '"*"');
    expect(open).not.toBe(text);
    await writeFile(join(root, file), open);
  }
}

test('a file of the tree that was altered by hand after its commit is found before the binding is reported ready, and written again', async () => {
  expect(await bound('after', () => byHand('W8', 2, openToAll))).toMatchObject({ state: 'succeeded' });
  expect(await attemptsOf('bind')).toBe(3);
  const [file = ''] = await grantFiles();
  expect(await readFile(join(root, file), 'utf8')).toContain('mesh.example.com/ns/web/sa/web-frontend');
  expect(git('status', '--porcelain')).toBe('');
  expect(await client.deprovision('after', await client.planIds(offering))).toMatchObject({ state: 'succeeded' });
});
test('one that was altered before its commit is committed again', async () => {
  let altered = false;
  installPointHook(async (reached) => {
    if (reached !== 'W7' || altered || (await grantFiles()).length === 0) return;
    altered = true;
    await openToAll();
  });
  expect(await bound('before')).toMatchObject({ state: 'succeeded' });
  expect(altered).toBe(true);
  const [file = ''] = await grantFiles();
  expect(git('show', `HEAD:${file}`)).toContain('mesh.example.com/ns/web/sa/web-frontend');
  expect(git('show', `HEAD~1:${file}`)).toContain('"*"');
  expect(git('log', '-1', '--format=%(trailers:key=Broker-Op-Repeated,valueonly)')).not.toBe('');
  expect(git('status', '--porcelain')).toBe('');
  expect(await client.deprovision('before', await client.planIds(offering))).toMatchObject({ state: 'succeeded' });
});
test.each(['unbind', 'deprovision'] as const)(
  'a grant that somebody put back is removed again before the %s is reported done',
  async (kind) => {
    const name = `back-${kind}`;
    expect(await bound(name)).toMatchObject({ state: 'succeeded' });
    const [file = ''] = await grantFiles();
    const text = await readFile(join(root, file), 'utf8');
    byHand('W8', 1, () => writeFile(join(root, file), text));
    const ids = await client.planIds(offering);
    const ended = kind === 'unbind' ? await client.unbind(name, `${name}-b`, ids) : await client.deprovision(name, ids);
    expect(ended).toMatchObject({ state: 'succeeded' });
    expect([await grantFiles(), git('status', '--porcelain')]).toEqual([[], '']);
    expect(await attemptsOf(kind)).toBe(2);
  },
);

const inBookinfo =
  (kind: string, suffix: string) =>
  (guard: string): string =>
    `bookinfo/${kind}-${guard}-${suffix}.yaml`;
const replaced =
  (word: string, by: string) =>
  async (path: string): Promise<void> =>
    writeFile(path, (await readFile(path, 'utf8')).replaceAll(word, by));
test.each([
  ['without its default deny', inBookinfo('authorizationpolicy', 'default-deny'), rm],
  ['that lets in without mutual TLS', inBookinfo('peerauthentication', 'strict'), replaced('STRICT', 'PERMISSIVE')],
  ['without one of its lists', inBookinfo('envoyfilter', 'verdicts-07'), rm],
  ['with a list that was altered', inBookinfo('envoyfilter', 'verdicts-08'), replaced('shadow_rules_stat_prefix', 'stat_prefix')],
  ['without its part at the gateway', () => 'istio-ingress/gateway-meshbroker.yaml', rm],
] as const)('a guard %s is found before the instance is reported ready, and written again', async (what, file, change) => {
  const ids = await client.planIds('details');
  const path = join(root, file(guardName(ids.service_id)));
  let text = '';
  byHand('W8', 1, async () => {
    text = await readFile(path, 'utf8');
    await change(path);
  });
  expect(await client.provision(`guard ${what}`, ids)).toMatchObject({ state: 'succeeded' });
  expect(text).not.toBe('');
  expect(await attemptsOf('provision')).toBe(2);
  expect(await readFile(path, 'utf8')).toBe(text);
  expect(git('status', '--porcelain')).toBe('');
});
