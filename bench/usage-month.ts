import pg from 'pg';
import type { Database } from '../src/db/database.ts';
import type { Usage } from '../src/usage/create-usage.pg.ts';
import { alternate, type Figure } from './figure.ts';

const rounds = 5;
const days = 30;
const events = Number(process.env['BENCH_USAGE_EVENTS'] ?? 10_000_000);
const month = '2026-09';
const first = `${month}-01T00:00:00Z`;
const next = '2026-10-01T00:00:00Z';

const raw = `
select date_trunc('day', e.event_time, 'UTC') as day, a.consumer, m.meter_id, sum(m.quantity)::text as total
  from usage_event e join usage_subject s on s.id = e.subject_id left join attribution a on a.id = s.attribution_id
  cross join lateral (values (e.meter_id, e.quantity), (2::smallint, e.request_bytes), (3::smallint, e.response_bytes)) as m (meter_id, quantity)
 where e.event_time >= '${first}' and e.event_time < '${next}' and m.quantity > 0
 group by 1, 2, 3`;

/** Every consumer's meters by day of a month with 10 million events: the report, of the same question on the raw rows (milliseconds). */
export async function benchMonth(database: Database, usage: Usage): Promise<Figure> {
  await fill(database);
  const unlimited = new pg.Client({ connectionString: database.url }); // raw rows may take longer than a statement of the broker
  await unlimited.connect();
  const question = { platformId: null, bindingRef: null, groupBy: ['consumer', 'meter'] as const, window: 'day' as const, timeZone: 'UTC' };
  const report = async (): Promise<number> => {
    const start = performance.now();
    const { lines } = await usage.reports.report({ ...question, from: new Date(first), to: new Date(next) });
    counts.report = lines.length;
    return performance.now() - start;
  };
  const rows = async (): Promise<number> => {
    const start = performance.now();
    counts.raw = (await unlimited.query(raw)).rowCount ?? 0;
    return performance.now() - start;
  };
  const counts = { report: 0, raw: 0 };
  try {
    await report();
    await rows();
    if (counts.report !== counts.raw) throw new Error(`the report has ${counts.report} lines, the raw rows give ${counts.raw}`);
    return await alternate('usage.report.month', 'ms', rounds, report, rows);
  } finally {
    await unlimited.end();
  }
}

/** Events and their sums, as ingestion and roll-up leave them. */
async function fill(database: Database): Promise<void> {
  await database.run(`insert into usage_subject (attribution_id, principal, host, ambiguous)
    select id, principal, hosts[1], false from attribution on conflict do nothing`);
  for (let day = 0; day < days; day += 1) {
    const date = `${month}-${String(day + 1).padStart(2, '0')}`;
    await database.run('select usage_leaf($1::date)', [date]);
    await database.bulk((tx) =>
      tx.run(`with subject as (select array_agg(id) as ids from usage_subject where attribution_id <> 0)
        insert into usage_event (event_time, quantity, request_bytes, response_bytes, batch_id, dedup, source_id, subject_id, content, meter_id)
        select '${date}T00:00:00Z'::timestamptz + n * (interval '1 day' / ${Math.ceil(events / days)}), 1, n % 1000, n * 31 % 100000, 0, gen_random_uuid(),
            1, ids[1 + (n * 7919::bigint) % cardinality(ids)], n, case when n % 97 = 0 then 5 else 1 end
          from subject, generate_series(0, ${Math.ceil(events / days) - 1}) as n`),
    );
    for (const [table, unit] of [
      ['usage_hour', 'hour'],
      ['usage_day', 'day'],
    ] as const)
      // prettier-ignore
      await database.bulk((tx) =>
        tx.run(`insert into ${table} select date_trunc('${unit}', event_time, 'UTC'), subject_id, meter_id, sum(quantity), sum(request_bytes),
          sum(response_bytes) from usage_event where event_time >= '${date}T00:00:00Z'::timestamptz
            and event_time < '${date}T00:00:00Z'::timestamptz + interval '1 day' group by 1, 2, 3`),
      );
  }
  for (const table of ['usage_hour', 'usage_day', 'usage_event']) await database.bulk((tx) => tx.run(`analyze ${table}`));
}
