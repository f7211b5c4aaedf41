import type { Sql } from '../kernel/sql.ts';
import type { MetricsSources, UnfinishedOperations } from './metrics.ts';

const text = `
select kind, state, count(*) as count, extract(epoch from clock_timestamp() - min(created_at))::float8 as "oldestSeconds"
  from operation
 where state not in ('succeeded', 'failed')
 group by kind, state`;

export const pgMetricsSources = (sql: Sql): MetricsSources => ({
  unfinishedOperations: async () => (await sql.run<UnfinishedOperations>({ name: 'metrics_unfinished_operations', text })).rows,
});
