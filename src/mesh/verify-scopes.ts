import type { MeshDriver } from './mesh-driver.ts';
import { generationOf } from './prepare-scopes.ts';
import type { ScopeState, ScopeStore } from './scope-store.ts';

/** Reads back: every scope of the bindings, and every scope that they changed last, is at the target at its last finished revision or a higher one. */
export async function scopesAreAtTarget(store: ScopeStore, driver: MeshDriver, bindingRefs: readonly string[]): Promise<boolean> {
  const scopes = new Set<string>();
  for (const bindingRef of bindingRefs) {
    if ((await store.unsettled(bindingRef)).length > 0) return false;
    for (const scope of await store.scopesOf(bindingRef)) scopes.add(scope);
  }
  for (const scope of scopes) {
    const state = await store.state(scope);
    if (state === undefined || (state.revision > 0 && state.settledRevision === 0) || !(await isThere(state, driver))) return false;
  }
  return true;
}
/** While others change a shared scope, what the last finished revision left is looked for; their part is theirs to verify. */
async function isThere({ objectIds, revision, settledRevision }: ScopeState, driver: MeshDriver): Promise<boolean> {
  const found = await driver.read(objectIds);
  const complete = settledRevision < revision ? found.length > 0 : found.length === objectIds.length;
  return complete && found.every((object) => generationOf(object) >= settledRevision);
}
