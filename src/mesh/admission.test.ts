import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aContribution, aGuard, aTraffic, meshSettings } from '../../test/support/mesh-contributions.ts';
import { compile } from './compile.ts';
import type { Contribution } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import { pathMatch } from './request-matcher.ts';
import { verdictScope } from './scope.ts';
import { verdictShard } from './scopes-of.ts';

/** Istio's documented matching of one text: exact, prefix, suffix, presence. */
function matches(pattern: string, text: string): boolean {
  if (pattern === '*') return text !== '';
  if (pattern.endsWith('*')) return text.startsWith(pattern.slice(0, -1));
  return pattern.startsWith('*') ? text.endsWith(pattern.slice(1)) : text === pattern;
}
interface Rule {
  readonly from?: readonly { readonly source: { readonly principals?: readonly string[] } }[];
}
/** An absent or empty list means any. */
function admits(policy: MeshObject, principal: string): boolean {
  return ((policy.spec['rules'] ?? []) as readonly Rule[]).some(
    ({ from = [] }) =>
      from.length === 0 ||
      from.some(({ source: { principals = [] } }) => principals.length === 0 || principals.some((pattern) => matches(pattern, principal))),
  );
}
interface ListValue {
  readonly configPatches: readonly {
    readonly patch: { readonly value: { readonly typed_config: { readonly shadow_matcher?: { readonly matcher_tree: { readonly exact_match_map: { readonly map: object } } } } } };
  }[];
} // prettier-ignore
const listed = (list: MeshObject): readonly string[] =>
  (list.spec as unknown as ListValue).configPatches.flatMap(({ patch }) =>
    Object.keys(patch.value.typed_config.shadow_matcher?.matcher_tree.exact_match_map.map ?? {}),
  );
const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/).filter((text) => text !== '.' && text !== '..');
const principal = fc.tuple(segment, segment).map(([namespace, account]) => `mesh.example.com/ns/${namespace}/sa/${account}`);
const withPrincipal = (id: string, grantForm: 'verdict' | 'authorization-policy'): Contribution => ({
  ...aContribution({ service: { grantForm } }),
  principal: id,
});
const grantOf = (member: Contribution): readonly MeshObject[] =>
  compile(`grant/${member.bindingRef}`, { members: [member], guards: [] }, meshSettings);

test('a grant admits exactly its own principal, in both forms', () => {
  fc.assert(
    fc.property(principal, fc.array(principal, { minLength: 20, maxLength: 20 }), (own, others) => {
      const [policy] = grantOf(withPrincipal(`spiffe://${own}`, 'authorization-policy'));
      if (policy === undefined) throw new Error('there is a policy');
      expect(admits(policy, own)).toBe(true);
      const near = [`${own}x`, `x${own}`, own.slice(0, -1), own.toUpperCase(), own.replace('mesh.', 'evil.'), '', '*'];
      for (const other of [...others, ...near]) if (other !== own) expect(admits(policy, other), other).toBe(false);
      const member = withPrincipal(`spiffe://${own}`, 'verdict');
      const lists = compile(
        verdictScope('orders-id', verdictShard(member.principal)),
        { members: [member], guards: [aGuard({})] },
        meshSettings,
      );
      expect(lists.flatMap(listed)).toEqual([`spiffe://${own}`]);
    }),
    { numRuns: 1_000 },
  );
});
test('a principal that is a pattern, empty or no SPIFFE ID is refused, in both forms', () => {
  const hostile = ['*', 'spiffe://*', 'spiffe://mesh.example.com/*', 'spiffe://mesh.example.com/ns/web/sa/*', '', 'spiffe://', 'spiffe://mesh.example.com', 'spiffe://mesh.example.com/', 'spiffe://mesh.example.com/ns/../sa/a', 'spiffe://MESH/ns/a/sa/b', 'spiffe://mesh.example.com/ns/a b/sa/c', 'spiffe://mesh.example.com/ns/a/sa/b\n', 'https://mesh.example.com/ns/a/sa/b']; // prettier-ignore
  for (const id of hostile) {
    expect(() => grantOf(withPrincipal(id, 'authorization-policy')), id).toThrow('is no SPIFFE ID');
    const member = withPrincipal(id, 'verdict');
    const scope = verdictScope('orders-id', verdictShard(id));
    expect(() => compile(scope, { members: [member], guards: [aGuard({})] }, meshSettings), id).toThrow('is no SPIFFE ID');
  }
});
test('a service without hosts lets nobody in: an empty list would mean any', () => {
  expect(grantOf(aContribution({ service: { grantForm: 'authorization-policy', hosts: [] }, traffic: aTraffic('a') }))).toEqual([]);
});
test('paths match as Istio matches them, with and without a query', () => {
  const admitted = (paths: readonly string[], path: string): boolean => {
    const match = pathMatch(paths) as { readonly prefix?: string; readonly safe_regex?: { readonly regex: string } };
    if (match.prefix !== undefined) return path.startsWith(match.prefix);
    return new RegExp(`^(?:${match.safe_regex?.regex ?? ''})$`).test(path);
  };
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['/a', ['/a', '/a?x=/b'], ['/ab', '/a/', '/', '/b?/a']],
    ['/a/*', ['/a/', '/a/b/c?d'], ['/a', '/b/a/']],
    ['*/health', ['/health', '/x/health?y'], ['/healthy', '/x?y=/health']],
    ['/a/{*}', ['/a/b', '/a/b?c/d'], ['/a/', '/a/b/c', '/a']],
    ['/a/{**}/z', ['/a/b/c/z', '/a/b/z?q'], ['/a/b/zz', '/a?/b/z']],
    ['/a.b+(c)', ['/a.b+(c)'], ['/axb+(c)', '/a.bb(c)']],
  ];
  for (const [path, yes, no] of cases) {
    for (const text of yes) for (const paths of [[path], ['/other', path]]) expect(admitted(paths, text), `${path} ${text}`).toBe(true);
    for (const text of no) for (const paths of [[path], ['/other', path]]) expect(admitted(paths, text), `${path} ${text}`).toBe(false);
  }
});
