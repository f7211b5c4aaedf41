import type { MeshExposure } from '../mesh/exposure-port.ts';
import { publishStep } from '../operations/mesh-steps.ts';
import type { Recipe } from '../operations/step.ts';

/** `npx meshbroker guard release`: the only way by which the broker opens a service again. */
export const guardReleaseRecipe = (mesh: MeshExposure): Recipe<unknown> => ({
  undoable: false,
  steps: ({ resourceId }) => [
    { name: 'release guard', run: ({ fence }) => mesh.releaseGuard(fence, resourceId) },
    publishStep(mesh, () => Promise.resolve(`release the guard of ${resourceId}`)),
  ],
  succeeded: () => Promise.resolve(),
  failed: () => Promise.resolve(),
});
