import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { installPointHook, type PointName } from '../../src/kernel/points.ts';
import type { MeshObject } from '../../src/mesh/mesh-object.ts';
import type { Sql } from '../../src/kernel/sql.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Contribution } from '../../src/mesh/contribution.ts';
import { memoryMesh, type MemoryMesh } from '../../src/mesh/drivers/memory.ts';
import { meshExposure } from '../../src/mesh/exposure-service.ts';
import type { Fence, MeshExposure } from '../../src/mesh/exposure-port.ts';
import { pgScopeStore } from '../../src/mesh/scope-store.pg.ts';
import { pgSnapshots } from '../../src/mesh/snapshots.pg.ts';
import type { ScopeStore } from '../../src/mesh/scope-store.ts';
import { verdictScope } from '../../src/mesh/scope.ts';
import { verdictShard } from '../../src/mesh/scopes-of.ts';
import { pgOperationFence } from '../../src/operations/operation-fence.pg.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { aContribution, aGuard, aRule, aTraffic, meshSettings, type ContributionParts } from '../support/mesh-contributions.ts';

let fresh: FreshDatabase;
const platform = randomUUID();
beforeAll(async () => {
  fresh = await freshDatabase();
  await fresh.db.run(`insert into platform (id, name) values ($1, 'p')`, [platform]);
});
afterAll(() => fresh.drop());

let mesh: MemoryMesh;
let exposure: MeshExposure;
let count = 0;
let offeringId = '';
const snapshots = pgSnapshots();
const scopeStores = (sql: Sql): ScopeStore => pgScopeStore(sql, snapshots);
const exposureOn = (driver: MemoryMesh, scopes: ScopeStore = scopeStores(fresh.db)): MeshExposure =>
  meshExposure({
    transact: (work) => fresh.db.transaction((tx) => work({ scopes: scopeStores(tx), fence: pgOperationFence(tx) })),
    scopes,
    driver,
    settings: meshSettings,
    logger: silentLogger,
  });
beforeEach(async () => {
  mesh = memoryMesh();
  exposure = exposureOn(mesh);
  count += 1;
  offeringId = `offering-${count}`;
  await exposure.guard(await aFence(), { ...aGuard({}), offeringId });
});
async function aFence(epoch = 1): Promise<Fence> {
  const operationId = randomUUID();
  await fresh.db.run(
    `insert into operation (id, platform_id, resource_kind, resource_id, kind, lease_epoch, deadline_at)
      values ($1, $2, 'binding', $4, 'bind', $3, clock_timestamp() + interval '1 hour')`,
    [operationId, platform, epoch, operationId],
  );
  return { operationId, epoch };
}
/** A binding row of its own; its routes are in a namespace of this test. */
async function aBinding(binding: string, parts: ContributionParts = {}): Promise<Contribution> {
  const namespace = `web-${count}`;
  const made = aContribution({
    traffic: aTraffic('standard'),
    ...parts,
    binding: `${binding}-${count}`,
    offeringId,
    consumer: { namespace, serviceAccount: 'frontend', workloadLabels: { app: 'frontend' }, ...parts.consumer },
  });
  const hash = randomUUID();
  const instance = randomUUID();
  await fresh.db.run('insert into plan_snapshot (hash, snapshot) values ($1, $2)', [hash, JSON.stringify(made.snapshot)]);
  await fresh.db.run(
    `insert into service_instance (id, platform_id, instance_id, ref, state, service_offering_id, offering_name, plan_id, plan_ids, snapshot_hash,
        organization_guid, space_guid, request_hash) values ($1, $2, $3, $3, 'ready', $4, 'orders', 'p', '{p}', $5, 'o', 's', 'h')`,
    [instance, platform, randomUUID(), offeringId, hash],
  );
  await fresh.db.run(
    `insert into service_binding (id, platform_id, instance_uuid, binding_id, ref, lineage_id, state, plan_id, request_hash, consumer, consumer_name,
        principal, credential_kind) values ($1, $2, $3, $4, $5, $1, 'binding', 'p', 'h', $6, 'c', $7, 'mesh-identity')`,
    [randomUUID(), platform, instance, made.bindingId, made.bindingRef, JSON.stringify(made.consumer), made.principal],
  );
  return made;
}
const textOf = (): string => JSON.stringify([...mesh.objects.values()]);
const grants = (ref: string): boolean => textOf().includes(`${ref}.`);
const routes = (ref: string): boolean => textOf().includes(`${ref}/0`);

test('a binding is routed before it is granted, and hidden grant first; the guard and its empty lists stay', async () => {
  const { bindingRef: ref } = await aBinding('a');
  await exposure.expose(await aFence(), ref, 'routed');
  expect([routes(ref), grants(ref)]).toEqual([true, false]);
  await exposure.expose(await aFence(), ref, 'granted');
  expect([routes(ref), grants(ref), await exposure.verify([ref])]).toEqual([true, true, true]);
  const before = mesh.history.length;
  await exposure.expose(await aFence(), ref, 'hidden');
  const hidden = mesh.history.slice(before).map(({ scope }) => scope.split('/')[0]);
  expect(hidden).toEqual(['verdicts', 'routes']);
  expect([routes(ref), grants(ref), await exposure.verify([ref])]).toEqual([false, false, true]);
  expect([...mesh.objects.keys()].filter((key) => key.includes('-verdicts-') && key.includes('/shop/'))).toHaveLength(16);
});
test('a repeat that finds everything settled writes nothing', async () => {
  const { bindingRef: ref } = await aBinding('a');
  await exposure.expose(await aFence(), ref, 'granted');
  const written = mesh.history.length;
  await exposure.expose(await aFence(), ref, 'granted');
  await exposure.refresh(await aFence(), ref);
  await exposure.guard(await aFence(), { ...aGuard({}), offeringId });
  expect(mesh.history.length).toBe(written);
});
test.each(['W2', 'W6', 'W7'] as const)('a worker killed at %s leaves what the next one finishes', async (name: PointName) => {
  const { bindingRef: ref } = await aBinding('a');
  installPointHook((reached) => {
    if (reached === name) throw new Error('killed');
  });
  await expect(exposure.expose(await aFence(), ref, 'granted')).rejects.toThrow('killed');
  installPointHook(undefined);
  await exposureOn(mesh).expose(await aFence(), ref, 'granted');
  expect([routes(ref), grants(ref), await exposure.verify([ref])]).toEqual([true, true, true]);
});
test('a worker whose lease is lost changes nothing', async () => {
  const { bindingRef: ref } = await aBinding('a');
  const { operationId } = await aFence(2);
  const written = mesh.history.length;
  await expect(exposure.expose({ operationId, epoch: 1 }, ref, 'granted')).rejects.toThrow('no longer ours');
  expect(mesh.history.length).toBe(written);
  expect(await scopeStores(fresh.db).scopesOf(ref)).toEqual([]);
});
test('many bindings of one list at once, written by two replicas, all stand in it at the end', async () => {
  const bindings: Contribution[] = [];
  for (let index = 0; index < 12; index += 1) bindings.push(await aBinding(`b${index}`));
  const replicas = [exposure, exposureOn(mesh)];
  await Promise.all(bindings.map(async ({ bindingRef }, index) => replicas[index % 2]?.expose(await aFence(), bindingRef, 'granted')));
  const scope = verdictScope(offeringId, verdictShard(bindings[0]?.principal ?? ''));
  const state = await scopeStores(fresh.db).state(scope);
  expect(state?.settledRevision).toBe(state?.revision);
  for (const { bindingRef } of bindings) expect(grants(bindingRef)).toBe(true);
  expect(await exposure.verify(bindings.map(({ bindingRef }) => bindingRef))).toBe(true);
  await Promise.all(bindings.map(async ({ bindingRef }, index) => replicas[index % 2]?.expose(await aFence(), bindingRef, 'hidden')));
  for (const { bindingRef } of bindings) expect(textOf()).not.toContain(bindingRef);
});
test('a conflict of routes is refused without a trace', async () => {
  const one = await aBinding('a', { traffic: aTraffic('x', { routes: [aRule({ timeout: '1s' })] }) });
  const other = await aBinding('b', { traffic: aTraffic('y', { routes: [aRule({ timeout: '2s' })] }) });
  await exposure.expose(await aFence(), one.bindingRef, 'granted');
  await expect(exposure.expose(await aFence(), other.bindingRef, 'routed')).rejects.toThrow(one.bindingRef);
  expect(await scopeStores(fresh.db).scopesOf(other.bindingRef)).toEqual([]);
  expect(await exposure.verify([one.bindingRef])).toBe(true);
});
test('a mesh that is away is tried again by the operation, and then everything is there', async () => {
  const { bindingRef: ref } = await aBinding('a');
  mesh.interrupt(() => {
    throw new Error('away');
  });
  await expect(exposure.expose(await aFence(), ref, 'granted')).rejects.toThrow('away');
  expect(await exposure.verify([ref])).toBe(false);
  mesh.interrupt();
  await exposure.expose(await aFence(), ref, 'granted');
  expect(await exposure.verify([ref])).toBe(true);
});
test.each(['altered', 'altered, its generation kept', 'lost', 'somebody else put it back'])(
  'a write that was %s before it is read back is found, counts as unwritten, and is made again',
  async (how) => {
    const { bindingRef: ref } = await aBinding('a', { service: { grantForm: 'authorization-policy' } });
    await exposure.expose(await aFence(), ref, 'granted');
    const objects = mesh.objects as Map<string, MeshObject>;
    const [key, grant] = [...objects].find(([name]) => name.includes('AuthorizationPolicy') && name.includes(ref)) ?? [];
    if (key === undefined || grant === undefined) throw new Error('no grant');
    if (how === 'somebody else put it back') {
      await exposure.expose(await aFence(), ref, 'hidden');
      expect([objects.has(key), await exposure.verify([ref])]).toEqual([false, true]);
      objects.set(key, grant);
    }
    if (how === 'lost') objects.delete(key);
    if (how.startsWith('altered')) {
      const metadata = how === 'altered' ? { ...grant.metadata, annotations: {} } : grant.metadata;
      objects.set(key, { ...grant, metadata, spec: { ...grant.spec, rules: [{}] } });
    }
    expect([await exposure.verify([ref]), await exposure.verify([ref])]).toEqual([false, false]);
    await exposure.expose(await aFence(), ref, how === 'somebody else put it back' ? 'hidden' : 'granted');
    expect(await exposure.verify([ref])).toBe(true);
    expect(objects.get(key)?.spec).toEqual(how === 'somebody else put it back' ? undefined : grant.spec);
  },
);
test('verification of many bindings at once, while others change their lists, takes nobody for lost', async () => {
  const store = scopeStores(fresh.db);
  let unsettled = 0;
  exposure = exposureOn(mesh, {
    ...store,
    unsettle: (...scope) => {
      unsettled += 1;
      return store.unsettle(...scope);
    },
  });
  const bindings: Contribution[] = [];
  for (let index = 0; index < 8; index += 1) bindings.push(await aBinding(`v${index}`));
  await Promise.all(
    bindings.map(async ({ bindingRef }) => {
      await exposure.expose(await aFence(), bindingRef, 'granted');
      await exposure.verify([bindingRef]);
    }),
  );
  expect(await exposure.verify(bindings.map(({ bindingRef }) => bindingRef))).toBe(true);
  expect(unsettled).toBe(0);
});
test('a guard is released only when nobody is bound, and without it nobody can be', async () => {
  const { bindingRef: ref } = await aBinding('a');
  await exposure.expose(await aFence(), ref, 'granted');
  await expect(exposure.releaseGuard(await aFence(), offeringId)).rejects.toThrow('has 1 live bindings');
  await exposure.expose(await aFence(), ref, 'hidden');
  await exposure.releaseGuard(await aFence(), offeringId);
  expect(textOf()).not.toContain(`"${offeringId}"`);
  await expect(exposure.expose(await aFence(), ref, 'routed')).rejects.toThrow('has no guard');
});
