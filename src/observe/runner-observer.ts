import type { Clock } from '../kernel/clock.ts';
import type { Operation } from '../operations/operation.ts';
import type { RunnerObserver } from '../operations/runner.ts';
import type { BrokerMetrics } from './metrics.ts';

/** Counts what the runner does. Ages are read off this host's clock against the database's: as exact as both agree. */
export function runnerObserver(metrics: Pick<BrokerMetrics, 'operationStarted' | 'operationEnded'>, clock: Clock): RunnerObserver {
  const age = (operation: Operation): number => Math.max(0, (clock.now().getTime() - operation.createdAt.getTime()) / 1_000);
  return {
    started(operation) {
      if (operation.attempts <= 1 && !operation.undoing) metrics.operationStarted(operation.kind, age(operation));
    },
    ended(operation, outcome) {
      if (outcome !== 'unfinished') metrics.operationEnded(operation.kind, outcome, age(operation));
    },
  };
}
