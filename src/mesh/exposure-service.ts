import { BrokerError } from '../kernel/errors.ts';
import { canonicalJson } from '../kernel/json.ts';
import type { Logger } from '../kernel/logger.ts';
import { point, type PointName } from '../kernel/points.ts';
import type { Transact } from '../kernel/transact.ts';
import type { Exposure, GuardDefinition } from './contribution.ts';
import type { Fence, MeshExposure } from './exposure-port.ts';
import { mergeGuard } from './merge-guard.ts';
import type { MeshDriver, ScopeWrite } from './mesh-driver.ts';
import { objectId } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { guardIsAtTarget, guardScopes } from './verify-guard.ts';
import { prepareScopes } from './prepare-scopes.ts';
import type { OperationFence, ScopeStore } from './scope-store.ts';
import { gatewayScope, guardScope, inOrderOfExposure, verdictScope, verdictShards } from './scope.ts';
import { scopesAt } from './scopes-of.ts';
import { scopesAreAtTarget } from './verify-scopes.ts';

export interface MeshExposureStores {
  readonly scopes: ScopeStore;
  readonly fence: OperationFence;
}
export interface MeshExposureDeps {
  readonly transact: Transact<MeshExposureStores>;
  /** Outside of transactions. */
  readonly scopes: ScopeStore;
  readonly driver: MeshDriver;
  readonly settings: MeshSettings;
  readonly logger: Logger;
  /** Told after each change of members or of their plans. */
  readonly membersChanged?: (scopes: readonly string[]) => void;
}
/** How often a write is made anew because others changed its scope meanwhile; then the operation is tried again later. */
const attempts = 20;

export function meshExposure(deps: MeshExposureDeps): MeshExposure {
  return {
    guard: (fence, definition) => writeGuard(deps, fence, definition.offeringId, (store) => saveMerged(store, definition)),
    releaseGuard: (fence, offeringId) => releaseGuard(deps, fence, offeringId),
    expose: (fence, bindingRef, exposure) => move(deps, fence, bindingRef, exposure),
    refresh: (fence, bindingRef) => move(deps, fence, bindingRef, undefined),
    publish: (operationId, subject) => deps.driver.publish({ operationId, subject }),
    verify: (bindingRefs) => scopesAreAtTarget(deps.scopes, deps.driver, deps.settings, bindingRefs),
    verifyGuard: (offeringId) => guardIsAtTarget(deps.scopes, deps.driver, offeringId),
  };
}
type Saved = readonly string[];
async function saveMerged(store: ScopeStore, definition: GuardDefinition): Promise<Saved> {
  const { offeringId } = definition;
  await store.lock(guardScope(offeringId));
  const before = await store.guard(offeringId);
  const guard = mergeGuard(before, definition);
  const { own, lists } = guardScopes(guard);
  if (canonicalJson(before) === canonicalJson(guard)) return own;
  await store.saveGuard(guard);
  return [...own, ...lists];
}
async function writeGuard(
  deps: MeshExposureDeps,
  fence: Fence,
  offeringId: string,
  change: (store: ScopeStore) => Promise<Saved>,
): Promise<void> {
  const changedBy = guardScope(offeringId);
  const writes = await deps.transact(async ({ scopes, fence: fenced }) => {
    await fenced.hold(fence.operationId, fence.epoch);
    const touched = await change(scopes);
    return prepareScopes(scopes, [...touched, ...(await scopes.unsettled(changedBy))], changedBy, deps.settings);
  });
  await deliverAll(deps, fence, changedBy, writes, inOrderOfExposure([...writes.keys()]), ['W6', 'W6', 'W7']);
}
/** The hooks go before their lists: a hook without a list refuses. */
async function releaseGuard(deps: MeshExposureDeps, fence: Fence, offeringId: string): Promise<void> {
  await writeGuard(deps, fence, offeringId, async (store) => {
    await store.lock(guardScope(offeringId));
    await store.deleteGuard(offeringId);
    const exposed = await store.exposedBindings(offeringId);
    if (exposed > 0) {
      throw new BrokerError(
        'conflict',
        `the offering ${offeringId} has ${exposed} live bindings: unbind them before its guard is released`,
      );
    }
    return [guardScope(offeringId), ...verdictShards.map((shard) => verdictScope(offeringId, shard)), gatewayScope];
  });
}
/** `exposure` undefined: stays as it is, and its scopes are compiled anew. */
async function move(deps: MeshExposureDeps, fence: Fence, bindingRef: string, exposure: Exposure | undefined): Promise<void> {
  const { writes, hiding, changed } = await deps.transact(async ({ scopes, fence: fenced }) => {
    await fenced.hold(fence.operationId, fence.epoch);
    const { touched, wanted } = await changeMemberships(scopes, bindingRef, exposure, deps.settings);
    const all = [...touched, ...(await scopes.unsettled(bindingRef))];
    return { writes: await prepareScopes(scopes, all, bindingRef, deps.settings), hiding: wanted === 'hidden', changed: touched };
  });
  deps.membersChanged?.(changed);
  const order = inOrderOfExposure([...writes.keys()]);
  if (hiding) await deliverAll(deps, fence, bindingRef, writes, order.toReversed(), ['D1', 'D2', 'W7']);
  else await deliverAll(deps, fence, bindingRef, writes, order, ['W6', 'W6', 'W7']);
}
async function changeMemberships(
  scopes: ScopeStore,
  bindingRef: string,
  exposure: Exposure | undefined,
  settings: MeshSettings,
): Promise<{ readonly touched: readonly string[]; readonly wanted: Exposure }> {
  const contribution = await scopes.contribution(bindingRef);
  if (contribution === undefined) return { touched: [], wanted: 'hidden' };
  const wanted = exposure ?? contribution.exposure;
  const { offeringId, offeringName } = contribution.snapshot;
  if (wanted !== 'hidden' && !(await scopes.holdGuard(offeringId))) {
    throw new BrokerError('conflict', `the service ${offeringName} has no guard: provision it again before binding`);
  }
  const before = await scopes.scopesOf(bindingRef);
  const after = scopesAt({ ...contribution, exposure: wanted }, wanted, settings);
  await scopes.expose(bindingRef, wanted, after);
  // A step forward touches what it adds; a repeat and a refresh everything.
  const moved = wanted !== contribution.exposure;
  const kept = moved ? new Set(before.filter((scope) => after.includes(scope))) : new Set<string>();
  return { touched: [...before, ...after].filter((scope) => !kept.has(scope)), wanted };
}
/** Crash points before the first scope (W2: recorded, nothing written yet), before each other and after each write. */
type Points = readonly [PointName, PointName, PointName];
async function deliverAll(
  deps: MeshExposureDeps,
  fence: Fence,
  changedBy: string,
  writes: ReadonlyMap<string, ScopeWrite>,
  order: readonly string[],
  [first, between, after]: Points,
): Promise<void> {
  if (writes.size > 0) await point('W2');
  for (const [index, scope] of order.entries()) {
    const write = writes.get(scope);
    if (write === undefined) continue;
    await point(index === 0 ? first : between);
    await deliver(deps, fence, changedBy, write, after);
  }
}
/** Until this scope, with our part in it, is at the target: when others are faster, their newer revision is looked after too. */
async function deliver(deps: MeshExposureDeps, fence: Fence, changedBy: string, first: ScopeWrite, after: PointName): Promise<void> {
  let write: ScopeWrite | undefined = first;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { scope, revision } = write;
    const outcome = await deps.driver.apply(write, async () => (await deps.scopes.currentRevision(scope)) === revision);
    await point(after);
    if (outcome === 'applied') {
      await deps.scopes.settle(scope, revision, write.put.map(objectId));
      return;
    }
    deps.logger.debug({ scope, revision }, 'a newer revision of the scope exists');
    write = await prepareAgain(deps, fence, changedBy, scope);
    if (write === undefined) return;
  }
  throw new BrokerError('unavailable', `scope ${first.scope} keeps changing: tried again`, { retryAfterSeconds: 1 });
}
async function prepareAgain(deps: MeshExposureDeps, fence: Fence, changedBy: string, scope: string): Promise<ScopeWrite | undefined> {
  const writes = await deps.transact(async ({ scopes, fence: fenced }) => {
    await fenced.hold(fence.operationId, fence.epoch);
    return prepareScopes(scopes, [scope], changedBy, deps.settings);
  });
  return writes.get(scope);
}
