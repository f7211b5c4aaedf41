import { BrokerError } from '../kernel/errors.ts';
import { LeaseLost } from './lease-lost.ts';
import type { Step } from './step.ts';

/** What a training plan does to one operation; travels in the operation's input. */
export interface TrainedBehaviour {
  readonly behaviour: 'delay' | 'fail' | 'hang';
  readonly seconds: number;
}
/** Ends the operation as failed at once, also one that is never given up otherwise: nothing has been done yet. */
export class TrainingFailure extends BrokerError {
  constructor() {
    super('bad-request', 'this training plan fails this operation on purpose; nothing was changed');
  }
}
const sliceMs = 10_000;

/** The first step of every operation: nothing, but on a training plan. */
export const trainingStep = (trained: TrainedBehaviour | null): Step => ({
  name: 'training',
  async run({ operation, signal }) {
    if (trained === null) return;
    if (trained.behaviour === 'fail') throw new TrainingFailure();
    if (trained.behaviour === 'hang') throw new BrokerError('unavailable', 'this training plan hangs on purpose');
    const waited = operation.attempts > 1 ? sliceMs * (operation.attempts - 1) : 0;
    const left = trained.seconds * 1000 - waited;
    if (left > 0) await pause(Math.min(left, sliceMs), signal, operation.id);
    if (left > sliceMs) throw new BrokerError('unavailable', 'this training plan takes its time on purpose');
  },
});

const pause = (ms: number, signal: AbortSignal, operationId: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new LeaseLost(operationId));
    });
  });
