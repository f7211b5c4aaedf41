import { BrokerError, type ErrorCode } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import { MeshRefusal } from '../mesh/mesh-refusal.ts';

/** permanent: the same try cannot succeed. conflict: somebody else was faster. retryable: also everything whose outcome is unknown. */
export type FailureClass = 'permanent' | 'conflict' | 'retryable';

const permanent: ReadonlySet<ErrorCode> = new Set(['bad-request', 'forbidden', 'route-conflict', 'not-found', 'gone', 'requires-app']);
const conflict: ReadonlySet<ErrorCode> = new Set(['conflict', 'concurrency']);

export function classify(error: unknown): FailureClass {
  if (!(error instanceof BrokerError)) return 'retryable';
  if (error instanceof MeshRefusal) return 'permanent';
  if (permanent.has(error.code)) return 'permanent';
  return conflict.has(error.code) ? 'conflict' : 'retryable';
}
/** Tries of one direction before it is given up (permanent, conflict); what is retryable ends at the operation's deadline. */
export const triesOf: Readonly<Record<FailureClass, number>> = { permanent: 1, conflict: 20, retryable: Number.POSITIVE_INFINITY };

export const quarantineMs = 300_000;
const shortestMs = 1_000;
/** Full jitter between 0 and 1 s · 2^(attempt − 1), at most 5 min; the first retry comes within a second. */
export function backoffMs(attempt: number, random: Random): number {
  return Math.ceil(random.fraction() * Math.min(quarantineMs, shortestMs * 2 ** Math.min(attempt - 1, 20)));
}
/** One sentence for the platform: what is not ours to tell (SQL, paths, stack) stays in the log. */
export const reasonOf = (error: unknown): string =>
  error instanceof BrokerError && error.code !== 'internal' ? error.message : 'the broker could not finish it; see its log';
