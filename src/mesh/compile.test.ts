import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aContribution, aGuard, aRule, aTraffic, goldTraffic, meshSettings } from '../../test/support/mesh-contributions.ts';
import { problemsOf } from '../../test/support/mesh-schema.ts';
import { compile } from './compile.ts';
import type { Contribution } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import { objectYaml } from './object-yaml.ts';
import { guardScope, parseScope, verdictScope, verdictShards } from './scope.ts';
import { scopesAt, verdictShard } from './scopes-of.ts';
import type { TrafficPlan } from './traffic-plan.ts';

const host = 'orders.shop.svc.cluster.local';
const routes = (members: readonly Contribution[]): readonly MeshObject[] =>
  compile(`routes/web/${host}`, { members, guards: [] }, meshSettings);
const bytes = (objects: readonly MeshObject[]): string => objects.map(objectYaml).join('---\n');
interface HttpRule {
  readonly name: string;
  readonly route: readonly { readonly destination: { readonly subset?: string } }[];
}
const httpOf = (objects: readonly MeshObject[]): readonly HttpRule[] =>
  (objects.find(({ kind }) => kind === 'VirtualService')?.spec['http'] ?? []) as readonly HttpRule[];
const to = (subset: string): TrafficPlan['routes'][number]['split'] => [{ subset, weight: 100 }];
const header = (name: string): NonNullable<TrafficPlan['routes'][number]['match']> => ({
  path: null,
  headers: [{ name, value: { exact: 'true' } }],
  methods: [],
});

describe('the order of events', () => {
  const plans = [goldTraffic, aTraffic('silver', { routes: [aRule({ timeout: '1s' })] }), aTraffic('plain')];
  const member = fc
    .record({ binding: fc.stringMatching(/^[a-z0-9]{1,12}$/), workload: fc.integer({ min: 0, max: 2 }) })
    .map(({ binding, workload }) =>
      // One plan per workload: two of one workload would be a conflict.
      aContribution({
        binding,
        traffic: plans[workload] ?? goldTraffic,
        consumer: { serviceAccount: `sa-${workload}`, workloadLabels: { app: `app-${workload}` } },
      }),
    );
  const members = fc.uniqueArray(member, { selector: ({ bindingRef }) => bindingRef, minLength: 1, maxLength: 8 });

  test('changes no byte: permutation, removal and return, rotation', () => {
    fc.assert(
      fc.property(
        members.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all], { minLength: all.length }))),
        ([all, shuffled]) => {
          const guards = [aGuard({})];
          for (const scope of new Set(all.flatMap((each) => scopesAt(each, 'granted', meshSettings)))) {
            const of = (list: readonly Contribution[]): string =>
              bytes(
                compile(
                  scope,
                  { members: list.filter((each) => scopesAt(each, 'granted', meshSettings).includes(scope)), guards },
                  meshSettings,
                ),
              );
            expect(of(shuffled)).toBe(of(all));
            const [first, ...rest] = shuffled;
            if (first !== undefined) expect(of([...rest, first])).toBe(of(all));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
  test('a rotated binding shares its routes, and its end leaves them to the other', () => {
    const [old, rotated] = [aContribution({ traffic: goldTraffic }), aContribution({ binding: 'rotated', traffic: goldTraffic })];
    expect(httpOf(routes([old, rotated]))).toHaveLength(httpOf(routes([old])).length);
    const strip = (objects: readonly MeshObject[]): string => bytes(objects).replaceAll(/"?mb-[a-z2-7]{20}(,mb-[a-z2-7]{20})*"?/g, 'REF');
    expect(strip(routes([rotated]))).toBe(strip(routes([old])));
    expect(strip(routes([old, rotated]))).toBe(strip(routes([old])));
  });
});

describe('routes of several bindings', () => {
  test('of one workload for the same requests are refused, naming both bindings', () => {
    const one = aContribution({ traffic: aTraffic('a', { routes: [aRule({ split: to('v1') })] }) });
    const other = aContribution({ binding: 'binding-2', traffic: aTraffic('b', { routes: [aRule({ split: to('v2') })] }) });
    expect(() => routes([one, other])).toThrow(expect.objectContaining({ code: 'route-conflict' }) as Error);
    expect(() => routes([one, other])).toThrow(one.bindingRef);
    expect(() => routes([one, other])).toThrow(other.bindingRef);
  });
  test('are refused too where two headers could both be sent', () => {
    const one = aContribution({ traffic: aTraffic('a', { routes: [aRule({ match: header('x-a'), split: to('v1') })] }) });
    const other = aContribution({
      binding: 'binding-2',
      traffic: aTraffic('b', { routes: [aRule({ match: header('x-b'), split: to('v2') })] }),
    });
    expect(() => routes([one, other])).toThrow('routes for the same requests');
  });
  test('go by priority where the plans give one', () => {
    const low = aContribution({ traffic: aTraffic('a', { routes: [aRule({ split: to('v1') })] }) });
    const high = aContribution({
      binding: 'binding-2',
      traffic: aTraffic('b', { routes: [aRule({ split: to('v2') })], routePriority: 10 }),
    });
    expect(httpOf(routes([low, high])).map(({ route }) => route[0]?.destination.subset)).toEqual(['v2', undefined]);
  });
  test('of different workloads never meet', () => {
    const one = aContribution({ traffic: aTraffic('a', { routes: [aRule({ split: to('v1') })] }) });
    const consumer = { serviceAccount: 'nightly', workloadLabels: { app: 'nightly' } };
    const other = aContribution({ binding: 'binding-2', consumer, traffic: aTraffic('b', { routes: [aRule({ split: to('v2') })] }) });
    expect(httpOf(routes([one, other])).at(-1)?.name).toBe('default');
    expect(httpOf(routes([one, other]))).toHaveLength(3);
  });
  test('keep the order of their plan, also where it is not that of specificity', () => {
    const traffic = aTraffic('a', {
      routes: [
        aRule({ match: header('x-a'), split: to('v1') }),
        aRule({ match: { path: { exact: '/v1/orders' }, headers: [], methods: [] }, split: to('v2') }),
      ],
    });
    expect(httpOf(routes([aContribution({ traffic })])).map(({ route }) => route[0]?.destination.subset)).toEqual([
      'v1',
      'v2',
      undefined,
      undefined,
    ]);
  });
  test('with different pools for one workload are refused', () => {
    const pool = { maxConnections: 1, connectTimeout: null, maxPendingRequests: null, maxRequests: null, idleTimeout: null };
    const one = aContribution({ traffic: aTraffic('a') });
    const other = aContribution({ binding: 'binding-2', traffic: aTraffic('b', { connectionPool: pool }) });
    expect(() => routes([one, other])).toThrow('load balancing, pools');
  });
  test('that are gone leave nothing in the consumer’s namespace', () => {
    expect(routes([])).toEqual([]);
  });
});

describe('scopes', () => {
  test('are parsed back, also where an offering’s id looks like a scope', () => {
    for (const offeringId of ['a', 'a/b', 'gateway', 'x/05', '../..']) {
      expect(parseScope(guardScope(offeringId))).toEqual({ kind: 'guard', offeringId });
      expect(parseScope(verdictScope(offeringId, '05'))).toEqual({ kind: 'verdicts', offeringId, shard: '05' });
    }
    expect(() => parseScope('secrets/a')).toThrow('unknown scope');
  });
  test('put one principal in one list, and principals in all of them', () => {
    const shards = Array.from({ length: 500 }, (_, index) => verdictShard(`spiffe://mesh.example.com/ns/a/sa/${index}`));
    expect([...new Set(shards)].sort()).toEqual(verdictShards);
  });
  test('let existing callers in under the trust domain of the mesh, unless they say another one', () => {
    const guard = aGuard({ service: { existingCallers: ['ns/web/sa/a', 'other.example/ns/web/sa/b', 'ns/ns/web/sa/c'] } });
    const settings = { ...meshSettings, trustDomain: 'cluster.local' };
    const objects = compile(guardScope('orders-id'), { members: [], guards: [guard] }, settings);
    const callers = objects.filter(({ metadata }) => metadata.name.includes('existing-callers'));
    expect(callers.map(({ spec }) => spec)).toEqual(
      Array(2).fill(
        expect.objectContaining({
          rules: [{ from: [{ source: { principals: ['cluster.local/ns/web/sa/a', 'ns/ns/web/sa/c', 'other.example/ns/web/sa/b'] } }] }],
        }),
      ),
    );
  });
  test('never reach the mesh’s root namespace', () => {
    const guard = aGuard({ service: { namespace: 'istio-system' } });
    expect(() => compile(guardScope('orders-id'), { members: [], guards: [guard] }, meshSettings)).toThrow('root namespace');
  });
});

test('whatever ids a platform sends, every object stays valid and on one line of its alphabet', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      fc.constantFrom('sidecar', 'ambient', 'vm', 'off-mesh'),
      (binding, kind) => {
        const member = aContribution({ binding, kind, service: { grantForm: 'authorization-policy' }, traffic: goldTraffic });
        for (const scope of scopesAt(member, 'granted', meshSettings)) {
          for (const object of compile(scope, { members: [member], guards: [aGuard({})] }, meshSettings)) {
            expect(problemsOf(object)).toEqual([]);
            expect(object.metadata.name).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
