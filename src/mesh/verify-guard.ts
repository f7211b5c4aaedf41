import type { GuardDefinition } from './contribution.ts';
import type { MeshDriver } from './mesh-driver.ts';
import { objectId, objectKey } from './mesh-object.ts';
import { givesVerdicts, takes } from './plan-guard.ts';
import { gatewayScope, gatewayVerdictScope, guardScope, verdictScope, verdictShards } from './scope.ts';
import type { ScopeState, ScopeStore } from './scope-store.ts';
import { holds, scopeIsThere } from './verify-scopes.ts';

/** `own`: compiled from guards; `lists`: there from the first provision on, filled by bindings. */
export function guardScopes(guard: GuardDefinition): { readonly own: readonly string[]; readonly lists: readonly string[] } {
  const { offeringId } = guard;
  const offMesh = takes(guard, 'off-mesh');
  const lists = verdictShards.flatMap((shard) => [verdictScope(offeringId, shard), ...(offMesh ? [gatewayVerdictScope(shard)] : [])]);
  return { own: [guardScope(offeringId), ...(offMesh ? [gatewayScope] : [])], lists: givesVerdicts(guard) ? lists : [] };
}

/**
 * Reads back the offering's guard, byte for byte of its content, with the lists that no binding has changed since: those of bindings are
 * read back with them. A scope that differs counts as unwritten from then on, so that the next `guard` writes it.
 */
export async function guardIsAtTarget(store: ScopeStore, driver: MeshDriver, offeringId: string): Promise<boolean> {
  const changedBy = guardScope(offeringId);
  if ((await store.unsettled(changedBy)).length > 0) return false;
  const guard = await store.guard(offeringId);
  if (guard === undefined) return false;
  const { own, lists } = guardScopes(guard);
  const states = await store.states([...own, ...lists]);
  if (own.some((scope) => !states.some((state) => state.scope === scope))) return false;
  const mine = states.filter((state) => own.includes(state.scope) || state.changedBy === changedBy);
  let complete = true;
  for (const scope of await notHeld(driver, mine)) {
    if (!(await scopeIsThere(store, driver, scope, changedBy))) complete = false;
  }
  return complete;
}
/** One read for all. */
async function notHeld(driver: MeshDriver, states: readonly ScopeState[]): Promise<readonly string[]> {
  const found = new Map(
    (await driver.read(states.flatMap((state) => state.objectIds))).map((object) => [objectKey(objectId(object)), object]),
  );
  return states
    .filter(
      (state) =>
        !holds(
          state,
          state.objectIds.flatMap((id) => found.get(objectKey(id)) ?? []),
        ),
    )
    .map(({ scope }) => scope);
}
