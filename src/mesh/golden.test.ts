import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  aContribution,
  aGuard,
  aRule,
  aTraffic,
  goldTraffic,
  manyPorts,
  meshSettings,
  type ContributionParts,
} from '../../test/support/mesh-contributions.ts';
import { problemsOf, rulesEvaluated, unevaluable } from '../../test/support/mesh-schema.ts';
import { compile } from './compile.ts';
import { consumerKinds } from './consumer.ts';
import type { Contribution, GuardDefinition } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import { objectYaml } from './object-yaml.ts';
import { gatewayScope, gatewayVerdictScope, guardScope, inOrderOfExposure, verdictScope } from './scope.ts';
import { scopesAt, verdictShard } from './scopes-of.ts';

const update = process.env['MESHBROKER_UPDATE_GOLDEN'] === 'true';
const documents = (objects: readonly MeshObject[]): string => objects.map(objectYaml).join('---\n');

/** Compares with test/fixtures/mesh/<name>.yaml; written anew only with MESHBROKER_UPDATE_GOLDEN=true. */
function expectGolden(name: string, objects: readonly MeshObject[]): void {
  for (const object of objects) expect(problemsOf(object), `${object.kind} ${object.metadata.name}`).toEqual([]);
  const path = fileURLToPath(new URL(`../../test/fixtures/mesh/${name}.yaml`, import.meta.url));
  if (update) writeFileSync(path, documents(objects));
  expect(existsSync(path), `${path}: run once with MESHBROKER_UPDATE_GOLDEN=true and read what it writes`).toBe(true);
  expect(documents(objects)).toBe(readFileSync(path, 'utf8'));
}
function objectsOf(members: readonly Contribution[], guards: readonly GuardDefinition[] = []): readonly MeshObject[] {
  const scopes = new Set(members.flatMap((member) => scopesAt(member, 'granted', meshSettings)));
  return inOrderOfExposure([...scopes]).flatMap((scope) => {
    const own = members.filter((member) => scopesAt(member, 'granted', meshSettings).includes(scope));
    return compile(scope, { members: own, guards }, meshSettings);
  });
}
const guarded = (parts: ContributionParts): readonly GuardDefinition[] => [aGuard(parts)];

describe('a binding', () => {
  for (const kind of consumerKinds) {
    for (const grantForm of ['verdict', 'authorization-policy'] as const) {
      test(`of a consumer of kind ${kind} with grants in form ${grantForm}`, () => {
        const parts = { kind, service: { grantForm }, traffic: goldTraffic };
        expectGolden(`binding.${kind}.${grantForm}`, objectsOf([aContribution(parts)], guarded(parts)));
      });
    }
  }
  for (const kind of consumerKinds) {
    test(`of a consumer of kind ${kind} to a service with HTTP, gRPC, TCP and TLS ports`, () => {
      const traffic = aTraffic('plain', { routes: [aRule({ split: [{ subset: 'v1', weight: 100 }] })] });
      const parts = { kind, service: manyPorts, traffic };
      expectGolden(`many-ports.${kind}`, objectsOf([aContribution(parts)], guarded(parts)));
    });
  }
  test('of a plan that says nothing', () => {
    const parts = { service: { subsets: [] } };
    expectGolden('binding.plain', objectsOf([aContribution(parts)], guarded(parts)));
  });
});

describe('the guard', () => {
  test('with grants by verdict', () => {
    expectGolden('guard.verdict', compile(guardScope('orders-id'), { members: [], guards: guarded({}) }, meshSettings));
  });
  test('with grants by AuthorizationPolicy, for sidecars only', () => {
    const guard = aGuard({ service: { grantForm: 'authorization-policy', existingCallers: [] }, kinds: ['sidecar'] });
    expectGolden('guard.authorization-policy', compile(guardScope('orders-id'), { members: [], guards: [guard] }, meshSettings));
  });
  test('of a service with HTTP, gRPC, TCP and TLS ports', () => {
    const guard = aGuard({ service: manyPorts });
    expectGolden('guard.many-ports', compile(guardScope('orders-id'), { members: [], guards: [guard] }, meshSettings));
  });
  test('of the gateway, shared by offerings of both forms', () => {
    const guards = [
      aGuard({}),
      aGuard({ offeringId: 'ledger-id', service: { grantForm: 'authorization-policy' }, traffic: aTraffic('silver') }),
    ];
    expectGolden('gateway', compile(gatewayScope, { members: [], guards }, meshSettings));
    expect(compile(gatewayScope, { members: [], guards: guards.toReversed() }, meshSettings)).toEqual(
      compile(gatewayScope, { members: [], guards }, meshSettings),
    );
  });
  test('leaves empty lists, here and at the gateway', () => {
    const guards = [aGuard({ service: manyPorts })];
    expectGolden('lists.empty', [
      ...compile(verdictScope('orders-id', '00'), { members: [], guards }, meshSettings),
      ...compile(gatewayVerdictScope('00'), { members: [], guards: [] }, meshSettings),
    ]);
  });
});

describe('what several bindings share', () => {
  const another = { binding: 'binding-2', consumer: { serviceAccount: 'nightly', workloadLabels: { app: 'nightly' } } };
  test('routes of two workloads of one namespace, and of a rotated binding', () => {
    const silver = aTraffic('silver', { routes: [aRule({ timeout: '1s' })] });
    const members = [
      aContribution({ traffic: goldTraffic }),
      aContribution({ binding: 'binding-1-rotated', traffic: goldTraffic }),
      aContribution({ ...another, traffic: silver }),
    ];
    expectGolden('shared.routes', compile('routes/web/orders.shop.svc.cluster.local', { members, guards: [] }, meshSettings));
  });
  test('a list with two bindings of one principal', () => {
    const reads = aTraffic('reads', { access: [{ methods: ['GET'], paths: ['/v1/*'], grpcServices: [], ports: [] }] });
    const members = [aContribution({ traffic: reads }), aContribution({ binding: 'binding-2', traffic: goldTraffic })];
    const scope = verdictScope('orders-id', verdictShard(members[0]?.principal ?? ''));
    expectGolden('shared.list', compile(scope, { members, guards: guarded({}) }, meshSettings));
  });
  test('the gateway’s way to a service, by policies of two plans', () => {
    const members = [aContribution({ kind: 'off-mesh', traffic: goldTraffic }), aContribution({ kind: 'off-mesh', binding: 'binding-2' })];
    expectGolden('shared.gateway', compile('gateway-destinations/orders.shop.svc.cluster.local', { members, guards: [] }, meshSettings));
  });
});

describe('the schemas and CEL rules of the fixture', () => {
  test('were asked of every object, all rules but five that the engine here cannot read', () => {
    expect(rulesEvaluated()).toBeGreaterThan(100);
    const unread = [...unevaluable].map(([rule, why]) => [/has\(self(\.matches)?\[0\]/.exec(rule)?.[0], why.split('\n')[0]]);
    const hasOfAnElement = 'EvaluationError: has() invalid argument';
    expect(unread.sort()).toEqual([
      ['has(self.matches[0]', hasOfAnElement],
      ['has(self.matches[0]', hasOfAnElement],
      ['has(self.matches[0]', hasOfAnElement],
      ['has(self.matches[0]', hasOfAnElement],
      ['has(self[0]', hasOfAnElement],
    ]);
  });
  test('refuse what an API server would refuse', () => {
    const refused = (
      change: (spec: Record<string, unknown>) => Record<string, unknown>,
      kind = 'AuthorizationPolicy',
    ): readonly string[] => {
      const found = compile(guardScope('orders-id'), { members: [], guards: guarded({}) }, meshSettings).find(
        (object) => object.kind === kind,
      );
      return found === undefined ? [] : problemsOf({ ...found, spec: change({ ...found.spec }) });
    };
    expect(refused((spec) => spec)).toEqual([]);
    expect(refused((spec) => ({ ...spec, rule: [] })).join()).toContain('additional');
    expect(refused((spec) => ({ ...spec, action: 'PERMIT' })).join()).toContain('allowed values');
    expect(refused((spec) => ({ ...spec, targetRefs: [{ group: '', kind: 'Service', name: 'a' }] })).join()).toContain('only one of');
    const serviceAccounts = { principals: ['a/ns/b/sa/c'], serviceAccounts: ['c'] };
    expect(refused((spec) => ({ ...spec, rules: [{ from: [{ source: serviceAccounts }] }] })).join()).toContain(
      'spec/rules/0/from/0/source',
    );
    expect(refused((spec) => ({ ...spec, mtls: { mode: 'strict' } }), 'PeerAuthentication').join()).toContain('allowed values');
  });
});
