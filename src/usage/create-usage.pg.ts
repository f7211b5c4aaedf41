import type { BackgroundTask } from '../kernel/background.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import { pgAttributionStore, pgSpanStore } from './attribution-store.pg.ts';
import type { AttributionStore, SpanStore } from './attribution.ts';
import { pgUsageIngestion } from './ingest.pg.ts';
import { leavesTask, rollUpTask } from './roll-up.pg.ts';
import { pgUsageReports } from './usage-report.pg.ts';
import type { UsageIngestion, UsageReports } from './usage-port.ts';

export interface UsageParts {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly settings: { readonly keepDays: number };
}
export interface Usage {
  readonly ingestion: UsageIngestion;
  readonly reports: UsageReports;
  attributionOn(sql: Sql): AttributionStore;
  spansOn(sql: Sql): SpanStore;
  readonly tasks: readonly BackgroundTask[];
}
const maxPastDays = 35;
const maxFutureSeconds = 300;
const leavesAheadDays = 2;

/** The usage room. `tasks` roll batches up, and make and drop the daily leaves. */
export function createUsage({ database, clock, settings }: UsageParts): Usage {
  const rollUp = rollUpTask(database);
  return {
    ingestion: pgUsageIngestion(database, clock, { maxPastDays, maxFutureSeconds }),
    reports: pgUsageReports(database, clock),
    attributionOn: pgAttributionStore,
    spansOn: pgSpanStore,
    tasks: [rollUp, leavesTask(database, leavesAheadDays, Math.max(settings.keepDays, maxPastDays + 1))],
  };
}
