import type { BackgroundTask } from '../kernel/background.ts';
import { point } from '../kernel/points.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';

const batches = 200;
const claim = {
  name: 'usage_batch_claim',
  text: `update usage_batch set rolled = true where id in (select id from usage_batch where not rolled order by id limit ${batches} for update skip locked) returning id`,
};
/** One event counts on up to three meters: its own, and the bytes of its request and answer. Sorted, so that two replicas never deadlock. */
const add = (table: 'usage_hour' | 'usage_day', unit: 'hour' | 'day'): { name: string; text: string } => ({
  name: `${table}_add`,
  text: `insert into ${table} (${unit}, subject_id, meter_id, quantity)
    select date_trunc('${unit}', e.event_time, 'UTC'), e.subject_id, m.meter_id, sum(m.quantity)
      from usage_event e, lateral (values (e.meter_id, e.quantity),
        ((select id from usage_meter where key = 'request-bytes'), e.request_bytes),
        ((select id from usage_meter where key = 'response-bytes'), e.response_bytes)) as m (meter_id, quantity)
      where e.batch_id = any ($1) and e.event_time >= $2 and e.event_time < $3 and m.quantity > 0 group by 1, 2, 3 order by 1, 2, 3
    on conflict (${unit}, subject_id, meter_id) do update set quantity = ${table}.quantity + excluded.quantity`,
});
const [addHours, addDays] = [add('usage_hour', 'hour'), add('usage_day', 'day')];

/** Adds batches to the sums in the transaction that marks them: a crash in between changes nothing (M3). */
export const rollUpTask = (database: SqlDatabase): BackgroundTask => ({
  name: 'usage-roll-up',
  everyMs: 1_000,
  activate: () => database.transaction(rollUp),
});
async function rollUp(tx: Sql): Promise<boolean> {
  const ids = (await tx.run<{ id: number }>(claim)).rows.map(({ id }) => id);
  if (ids.length === 0) return false;
  const { rows } = await tx.run<{ first: Date | null; last: Date | null }>(
    `select min(event_time) as first, max(event_time) + interval '1 second' as last from usage_event where batch_id = any ($1)`,
    [ids],
  );
  const { first, last } = rows[0] ?? {};
  if (first instanceof Date && last instanceof Date) {
    await tx.run(addHours, [ids, first, last]);
    await tx.run(addDays, [ids, first, last]);
  }
  await point('M3');
  return ids.length === batches;
}

/** Leaves for today and the days ahead, so that no ingestion has to make one. */
export const leavesTask = (database: SqlDatabase, aheadDays: number, keepDays: number): BackgroundTask => ({
  name: 'usage-leaves',
  everyMs: 3_600_000,
  async activate() {
    await database.run(`select usage_leaf((clock_timestamp() at time zone 'UTC')::date + n) from generate_series(0, $1::int) as n`, [
      aheadDays,
    ]);
    const { rows } = await database.run<{ leaf: string }>(
      `select c.relname as leaf from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'usage_event'::regclass
         and c.relname < 'usage_event_' || to_char((clock_timestamp() at time zone 'UTC')::date - $1::int, 'YYYYMMDD')
         and not exists (select 1 from usage_batch where not rolled and received_at < clock_timestamp() - interval '1 hour') order by 1 limit 10`,
      [keepDays],
    );
    for (const { leaf } of rows) if (/^usage_event_\d{8}$/.test(leaf)) await database.run(`drop table ${leaf}`);
    return rows.length === 10;
  },
});
