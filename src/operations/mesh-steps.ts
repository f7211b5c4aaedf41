import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import type { MeshExposure } from '../mesh/exposure-port.ts';
import type { Step } from './step.ts';

/** Makes what the steps before wrote effective as one unit of record; undoing publishes too, what has been taken back by then. */
export const publishStep = (mesh: MeshExposure, subject: string): Step => ({
  name: 'publish',
  run: ({ operation }) => mesh.publish(operation.id, subject),
});
/** The undo of a step list ends here: its first step, undone last. */
export const publishUndone = (mesh: MeshExposure, subject: string): Step => ({
  name: 'publish what was taken back',
  run: () => Promise.resolve(),
  undo: ({ operation }) => mesh.publish(`${operation.id}-undone`, `undo ${subject}`),
});
/** Reads back; not there yet is tried again (W8: not reported ready until verified). */
export const verifyStep = (mesh: MeshExposure, bindingRefs: () => Promise<readonly string[]>): Step => ({
  name: 'verify',
  async run() {
    await point('W8');
    if (!(await mesh.verify(await bindingRefs()))) {
      throw new BrokerError('unavailable', 'the mesh does not hold yet what was written');
    }
  },
});
