import type { MeshDriver, ScopeWrite } from '../mesh-driver.ts';
import { objectId, objectKey, type MeshObject } from '../mesh-object.ts';

/** A mesh in this process: a real driver for tests and for trying the broker out. */
export interface MemoryMesh extends MeshDriver {
  readonly objects: ReadonlyMap<string, MeshObject>;
}
export function memoryMesh(): MemoryMesh {
  const objects = new Map<string, MeshObject>();
  const revisions = new Map<string, number>();
  return {
    name: 'memory',
    objects,
    async apply(write: ScopeWrite, isCurrent) {
      if ((revisions.get(write.scope) ?? 0) > write.revision || !(await isCurrent())) return 'superseded';
      revisions.set(write.scope, write.revision);
      for (const object of write.put) objects.set(objectKey(objectId(object)), object);
      for (const id of write.remove) objects.delete(objectKey(id));
      return 'applied';
    },
    read: (ids) => Promise.resolve(ids.flatMap((id) => objects.get(objectKey(id)) ?? [])),
    publish: () => Promise.resolve(),
    check: () => Promise.resolve({ ok: true }),
    close: () => Promise.resolve(),
  };
}
