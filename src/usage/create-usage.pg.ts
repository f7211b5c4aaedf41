import type { BackgroundTask } from '../kernel/background.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import type { AttributionStore, SpanStore } from './attribution.ts';
import type { UsageIngestion, UsageReports } from './usage-port.ts';

// USAGE: placeholder by the lead so that src/app.ts runs until you overwrite this file with the real thing (same signature).
export interface UsageParts {
  readonly database: SqlDatabase;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: { readonly keepDays: number };
}
export interface Usage {
  readonly ingestion: UsageIngestion;
  readonly reports: UsageReports;
  attributionOn(sql: Sql): AttributionStore;
  spansOn(sql: Sql): SpanStore;
  readonly tasks: readonly BackgroundTask[];
}
const nothing = (): Promise<void> => Promise.resolve();
export const createUsage = (parts: UsageParts): Usage => ({
  ingestion: { ingest: () => Promise.resolve({ accepted: 0, duplicate: 0, conflict: 0, rejected: 0, events: [] }) },
  reports: { report: () => Promise.resolve({ asOf: parts.clock.now().toISOString(), lines: [], unattributed: [] }) },
  attributionOn: () => ({ open: nothing, close: nothing }),
  spansOn: () => ({ openInstance: nothing, closeInstance: nothing, openBinding: nothing, closeBinding: nothing }),
  tasks: [],
});
