import type { BackgroundTask, CleanUpObserver } from '../kernel/background.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import { pgAttributionStore } from './attribution-store.pg.ts';
import type { AttributionStore, SpanStore } from './attribution.ts';
import { pgUsageIngestion } from './ingest.pg.ts';
import { leavesTask, retentionTask } from './retention.pg.ts';
import { rollUpTask } from './roll-up.pg.ts';
import { pgSpanStore } from './span-store.pg.ts';
import { pgUsageReports } from './usage-report.pg.ts';
import type { UsageIngestion, UsageReports } from './usage-port.ts';

export interface UsageParts {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly observer?: CleanUpObserver;
  readonly settings: {
    /** Of single events; at least 36, so that an id is known for as long as its event would be accepted. */
    readonly keepDays: number;
    /** Default 35. */
    readonly acceptPastDays?: number;
    /** Default 300. */
    readonly acceptFutureSeconds?: number;
  };
}
export interface Usage {
  readonly ingestion: UsageIngestion;
  readonly reports: UsageReports;
  attributionOn(sql: Sql): AttributionStore;
  spansOn(sql: Sql): SpanStore;
  readonly tasks: readonly BackgroundTask[];
}

/** The usage room: ingestion, attribution, spans, reports; tasks roll up, make leaves ahead, and drop what is no longer kept. */
export function createUsage({ database, clock, observer, settings }: UsageParts): Usage {
  const { keepDays, acceptPastDays = 35, acceptFutureSeconds = 300 } = settings;
  return {
    ingestion: pgUsageIngestion(database, clock, { acceptPastDays: Math.min(acceptPastDays, keepDays - 1), acceptFutureSeconds }),
    reports: pgUsageReports(database),
    attributionOn: pgAttributionStore,
    spansOn: pgSpanStore,
    tasks: [rollUpTask(database), leavesTask(database, clock), retentionTask(database, clock, keepDays, observer)],
  };
}
