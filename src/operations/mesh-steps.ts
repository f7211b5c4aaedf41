import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import type { MeshExposure } from '../mesh/exposure-port.ts';
import type { Step } from './step.ts';

/** One line for the record, `bind mb-…: reviews for web/web-frontend`. */
export type Subject = () => Promise<string>;
/** Makes what the steps before wrote effective as one unit of record. */
export const publishStep = (mesh: MeshExposure, subject: Subject): Step => ({
  name: 'publish',
  run: async ({ operation }) => mesh.publish(operation.id, await subject()),
});
/** The undo of a step list ends here: its first step, undone last. */
export const publishUndone = (mesh: MeshExposure, subject: Subject): Step => ({
  name: 'publish what was taken back',
  run: () => Promise.resolve(),
  undo: async ({ operation }) => mesh.publish(`${operation.id}-undone`, `undo ${await subject()}`),
});
/** Reads back; not there yet is tried again (W8: not reported ready until verified). */
export const verifyStep = (isThere: () => Promise<boolean>): Step => ({
  name: 'verify',
  async run() {
    await point('W8');
    if (!(await isThere())) {
      throw new BrokerError('unavailable', 'the mesh does not hold yet what was written');
    }
  },
});
