import type { MeshDriver, Publication, ScopeWrite } from '../mesh-driver.ts';
import { objectId, objectKey, type MeshObject } from '../mesh-object.ts';

/** Asked before each write: throws, waits or returns. */
export type Interruption = (write: ScopeWrite) => Promise<void> | void;

/** A mesh in this process: a real driver for tests and for trying the broker out. */
export interface MemoryMesh extends MeshDriver {
  readonly objects: ReadonlyMap<string, MeshObject>;
  /** What was applied, oldest first; at most the last thousand. */
  readonly history: readonly ScopeWrite[];
  readonly publications: readonly Publication[];
  /** Makes writes fail, hang or be refused, until called without one. */
  interrupt(by?: Interruption): void;
}
const kept = 1_000;

export function memoryMesh(): MemoryMesh {
  const objects = new Map<string, MeshObject>();
  const revisions = new Map<string, number>();
  const history: ScopeWrite[] = [];
  const publications: Publication[] = [];
  let interruption: Interruption | undefined;
  return {
    name: 'memory',
    objects,
    history,
    publications,
    interrupt(by) {
      interruption = by;
    },
    async apply(write, isCurrent) {
      await interruption?.(write);
      const current = await isCurrent();
      // From here to the end nobody else has a turn.
      if (!current || (revisions.get(write.scope) ?? 0) > write.revision) return 'superseded';
      revisions.set(write.scope, write.revision);
      for (const object of write.put) objects.set(objectKey(objectId(object)), object);
      for (const id of write.remove) objects.delete(objectKey(id));
      remember(history, write);
      return 'applied';
    },
    read: (ids) => Promise.resolve(ids.flatMap((id) => objects.get(objectKey(id)) ?? [])),
    publish(publication) {
      if (!publications.some(({ operationId }) => operationId === publication.operationId)) remember(publications, publication);
      return Promise.resolve();
    },
    check: () => Promise.resolve({ ok: true }),
    close: () => Promise.resolve(),
  };
}
function remember<Item>(list: Item[], item: Item): void {
  list.push(item);
  if (list.length > kept) list.shift();
}
