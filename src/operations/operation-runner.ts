import { BrokerError } from '../kernel/errors.ts';
import type { OperationStore } from './operation-store.ts';
import type { Operation } from './operation.ts';

/** What services need of the runner. */
export interface OperationRunner {
  /** Something may be due now. */
  wake(): void;
  /** Runs it at once and waits for its end, whoever runs it. undefined: not ended in time. */
  runNow(id: string, timeoutMs: number): Promise<Operation | undefined>;
}
/**
 * The synchronous form of an operation (OSB: only when completion is certain): resolves when it has succeeded, else throws why.
 * What does not end in time is undone where it can be (a deletion goes on), and the answer is `timed-out`.
 */
export async function runSynchronously(
  runner: OperationRunner,
  operations: OperationStore,
  id: string,
  undoable: boolean,
  timeoutMs: number,
): Promise<void> {
  const ended = await runner.runNow(id, timeoutMs);
  if (ended?.state === 'succeeded') return;
  if (ended?.state === 'failed') throw new BrokerError(ended.errorCode ?? 'internal', ended.description, { operation: id });
  if (undoable) {
    await operations.giveUp(id, `not done within ${timeoutMs / 1000} s`);
    runner.wake();
  }
  throw new BrokerError(
    'timed-out',
    `not done within ${timeoutMs / 1000} s; the broker ${undoable ? 'takes it back' : 'goes on with it'}: send the request again`,
    { retryAfterSeconds: 5, operation: id },
  );
}
