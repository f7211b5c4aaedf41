import { gitopsMesh, type GitopsSettings, type WithLock } from './mesh/drivers/gitops/gitops-mesh.ts';
import { memoryMesh } from './mesh/drivers/memory.ts';
import type { MeshDriver } from './mesh/mesh-driver.ts';

export interface DriverParts {
  readonly gitops: GitopsSettings;
  readonly withLock: WithLock;
}
/** Every mesh driver, by the name that MESHBROKER_MESH takes. */
export const meshDrivers = {
  gitops: ({ gitops, withLock }) => gitopsMesh(gitops, withLock),
  memory: () => memoryMesh(),
} satisfies Record<string, (parts: DriverParts) => MeshDriver>;
