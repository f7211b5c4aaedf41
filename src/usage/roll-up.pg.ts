import type { BackgroundTask } from '../kernel/background.ts';
import { point } from '../kernel/points.ts';
import type { SqlDatabase } from '../kernel/sql.ts';

/** Cells of one activation, about; a batch is never divided. */
const cellsAtOnce = 20_000;
const batchesAtOnce = 500;

const sums = 'sum(quantity) as quantity, sum(request_bytes) as request_bytes, sum(response_bytes) as response_bytes';
const columns = 'subject_id, meter_id, quantity, request_bytes, response_bytes';
const into = (table: 'usage_hour' | 'usage_day', unit: 'hour' | 'day', from: string): string => `
  insert into ${table} (${unit}, ${columns}) ${from} order by subject_id, meter_id, ${unit}
  on conflict (subject_id, meter_id, ${unit}) do update set quantity = ${table}.quantity + excluded.quantity,
    request_bytes = ${table}.request_bytes + excluded.request_bytes, response_bytes = ${table}.response_bytes + excluded.response_bytes`;

/** The lock keeps replicas from waiting for each other's rows; each batch is claimed by its own row. */
const turn = {
  name: 'usage_roll_up_turn',
  text: `select pg_try_advisory_xact_lock(hashtextextended('meshbroker/usage_roll_up', 0)) as mine`,
};
const rollUp = {
  name: 'usage_roll_up',
  text: `
with waiting as (
  select id, sum(cardinality(cell_hours)) over (order by id) - cardinality(cell_hours) as before from usage_batch where not rolled order by id limit $2
), claimed as (
  select b.id, b.cell_hours, b.cell_subjects, b.cell_meters, b.cell_quantities, b.cell_request_bytes, b.cell_response_bytes
    from usage_batch b where not b.rolled and b.id in (select id from waiting where before < $1) for update skip locked
), cells as materialized (
  select to_timestamp(c.hour * 3600.0) as hour, c.subject_id, c.meter_id, ${sums}
    from claimed, unnest(cell_hours, cell_subjects, cell_meters, cell_quantities, cell_request_bytes, cell_response_bytes)
      as c (hour, subject_id, meter_id, quantity, request_bytes, response_bytes)
   group by 1, 2, 3
), hours as (${into('usage_hour', 'hour', `select hour, ${columns} from cells`)}
), days as (${into('usage_day', 'day', `select date_trunc('day', hour, 'UTC') as day, subject_id, meter_id, ${sums} from cells group by 1, 2, 3`)}
)
update usage_batch set rolled = true, cell_hours = null, cell_subjects = null, cell_meters = null, cell_quantities = null,
    cell_request_bytes = null, cell_response_bytes = null
 where id in (select id from claimed)`,
};

/**
 * Adds the sums of committed batches to usage_hour and usage_day in the transaction that marks them: whoever dies in between has changed
 * nothing, and whatever a dead process left behind is found here by its row.
 */
export const rollUpTask = (database: SqlDatabase): BackgroundTask => ({
  name: 'usage-roll-up',
  everyMs: 1_000,
  activate: () =>
    database.bulk(async (tx) => {
      if ((await tx.run<{ mine: boolean }>(turn)).rows[0]?.mine !== true) return false;
      const { count } = await tx.run(rollUp, [cellsAtOnce, batchesAtOnce]);
      if (count > 0) await point('M3');
      return count > 0;
    }),
});
