import { sha256Hex } from '../kernel/ids.ts';
import { canonicalJson } from '../kernel/json.ts';
import { compile } from './compile.ts';
import type { GuardDefinition } from './contribution.ts';
import type { ScopeWrite } from './mesh-driver.ts';
import { objectId, objectKey, type MeshObject, type ObjectId } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { parseScope } from './scope.ts';
import type { ScopeState, ScopeStore } from './scope-store.ts';

/**
 * Inside a transaction: locks the scopes in sorted order, compiles each from all its members, and gives those that changed or may not
 * be at the target a revision. What it returns must be written after the commit.
 */
export async function prepareScopes(
  store: ScopeStore,
  scopes: Iterable<string>,
  changedBy: string,
  settings: MeshSettings,
): Promise<ReadonlyMap<string, ScopeWrite>> {
  const writes = new Map<string, ScopeWrite>();
  for (const scope of [...new Set(scopes)].sort()) {
    const state = await store.lock(scope);
    const objects = compile(scope, { members: await store.members(scope), guards: await guardsFor(scope, store) }, settings);
    const write = await revise(store, state, objects, changedBy);
    if (write !== undefined) writes.set(scope, write);
  }
  return writes;
}
async function guardsFor(scope: string, store: ScopeStore): Promise<readonly GuardDefinition[]> {
  const parsed = parseScope(scope);
  if (parsed.kind === 'gateway') return store.guards();
  if (parsed.kind !== 'guard' && parsed.kind !== 'verdicts') return [];
  const guard = await store.guard(parsed.offeringId);
  return guard === undefined ? [] : [guard];
}
async function revise(
  store: ScopeStore,
  state: ScopeState,
  objects: readonly MeshObject[],
  changedBy: string,
): Promise<ScopeWrite | undefined> {
  const hash = contentHash(objects);
  const same = hash === state.objectsHash;
  if (same && state.settledRevision === state.revision) return undefined;
  if (objects.length === 0 && state.objectIds.length === 0) return undefined;
  const revision = same ? state.revision : state.revision + 1;
  const written = new Map(objects.map((object) => [objectKey(objectId(object)), objectId(object)]));
  const known = new Map([...state.objectIds.map((id): [string, ObjectId] => [objectKey(id), id]), ...written]);
  if (!same) await store.revise({ scope: state.scope, revision, objectsHash: hash, objectIds: [...known.values()], changedBy });
  const remove = [...known].filter(([key]) => !written.has(key)).map(([, id]) => id);
  return { scope: state.scope, revision, put: objects.map((object) => withGeneration(object, revision)), remove: remove.reverse() };
}
/** Of the objects of a scope in their order; the generation they carry does not count. */
export const contentHash = (objects: readonly MeshObject[]): string => sha256Hex(canonicalJson(objects.map(withoutGeneration)));

export const generationAnnotation = 'meshbroker.dev/generation';
const withGeneration = (object: MeshObject, revision: number): MeshObject => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [generationAnnotation]: String(revision) } },
});
/** What was read back may have been edited by anybody. */
const annotationsOf = ({ metadata }: MeshObject): Readonly<Record<string, string>> =>
  (metadata as { annotations?: MeshObject['metadata']['annotations'] | null }).annotations ?? {};
function withoutGeneration(object: MeshObject): MeshObject {
  const annotations = annotationsOf(object);
  if (!Object.hasOwn(annotations, generationAnnotation)) return object;
  const others = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== generationAnnotation));
  return { ...object, metadata: { ...object.metadata, annotations: others } };
}
/** 0: it carries none, as an object that somebody else wrote. */
export function generationOf(object: MeshObject): number {
  const annotations = annotationsOf(object);
  const text = annotations[generationAnnotation] ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
