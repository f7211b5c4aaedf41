import { BrokerError } from '../kernel/errors.ts';
import { compile } from './compile.ts';
import type { Contribution } from './contribution.ts';
import type { MeshDriver } from './mesh-driver.ts';
import { objectId, objectKey, type MeshObject, type ObjectId } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { contentHash, generationOf } from './prepare-scopes.ts';
import { parseScope, type Scope } from './scope.ts';
import type { ScopeState, ScopeStore } from './scope-store.ts';
import { scopesAt } from './scopes-of.ts';

/** How often a scope is looked at again because others changed it meanwhile. */
const looks = 5;

/**
 * Reads back what the scopes of the bindings were compiled to, byte for byte of their content; of hidden bindings the scopes that they
 * have left, where nothing of theirs may stand. A scope that differs counts as unwritten from then on.
 */
export async function scopesAreAtTarget(
  store: ScopeStore,
  driver: MeshDriver,
  settings: MeshSettings,
  bindingRefs: readonly string[],
): Promise<boolean> {
  const seen = new Set<string>();
  let complete = true;
  for (const bindingRef of bindingRefs) {
    if ((await store.unsettled(bindingRef)).length > 0) return false;
    const stands = await store.scopesOf(bindingRef);
    for (const { scope, strays } of stands.length > 0 ? stands.map(ofMember) : await left(store, bindingRef, settings)) {
      if (strays.length === 0 && seen.has(scope)) continue;
      seen.add(scope);
      if (!(await scopeIsThere(store, driver, scope, bindingRef, strays))) complete = false;
    }
  }
  return complete;
}
interface Place {
  readonly scope: string;
  /** Objects that must not be there, unless the scope says that they may. */
  readonly strays: readonly ObjectId[];
}
const ofMember = (scope: string): Place => ({ scope, strays: [] });

/** Lists are never removed: what they hold tells whether a binding has left. */
const lists: ReadonlySet<Scope['kind']> = new Set(['verdicts', 'gateway-verdicts']);
async function left(store: ScopeStore, bindingRef: string, settings: MeshSettings): Promise<readonly Place[]> {
  const contribution = await store.contribution(bindingRef);
  if (contribution === undefined) return [];
  const places: Place[] = [];
  for (const scope of scopesAt(contribution, 'granted', settings)) {
    if ((await store.currentRevision(scope)) === 0) continue; // never written
    places.push({ scope, strays: lists.has(parseScope(scope).kind) ? [] : objectsOf(contribution, scope, settings) });
  }
  return places;
}
function objectsOf(contribution: Contribution, scope: string, settings: MeshSettings): readonly ObjectId[] {
  try {
    return compile(scope, { members: [contribution], guards: [] }, settings).map(objectId);
  } catch (error) {
    if (error instanceof BrokerError) return []; // refused when it was bound, so never written
    throw error;
  }
}
/** False: it is not as it was compiled, and counts as unwritten from then on, wanted by `changedBy`. */
export async function scopeIsThere(
  store: ScopeStore,
  driver: MeshDriver,
  scope: string,
  changedBy: string,
  strays: readonly ObjectId[] = [],
): Promise<boolean> {
  for (let look = 0; look < looks; look += 1) {
    const state = await store.state(scope);
    if (state === undefined) return false;
    const ids = new Map([...state.objectIds, ...strays].map((id) => [objectKey(id), id]));
    if (holds(state, await driver.read([...ids.values()]))) return true;
    if (state.settledRevision < state.revision) return false;
    if (await store.unsettle(scope, state.revision, [...ids.values()], changedBy)) return false;
  }
  return false;
}
/**
 * While others write a newer revision of a shared scope, what the last finished one left is looked for; the content is theirs to verify,
 * with our part in it.
 */
export function holds({ objectIds, objectsHash, revision, settledRevision }: ScopeState, found: readonly MeshObject[]): boolean {
  if (revision > 0 && settledRevision === 0) return false;
  if (settledRevision < revision) {
    return (found.length > 0 || objectIds.length === 0) && found.every((object) => generationOf(object) >= settledRevision);
  }
  const byKey = new Map(found.map((object) => [objectKey(objectId(object)), object]));
  const inOrder = objectIds.flatMap((id) => byKey.get(objectKey(id)) ?? []);
  if (inOrder.length !== found.length || found.length !== objectIds.length) return false;
  if (inOrder.some((object) => generationOf(object) !== settledRevision)) return false;
  return revision === 0 || contentHash(inOrder) === objectsHash;
}
