import type { Clock } from '../kernel/clock.ts';
import type { SqlDatabase } from '../kernel/sql.ts';
import type { Report, ReportDimension, ReportLine, ReportQuestion, UsageReports } from './usage-port.ts';

const columnOf: Readonly<Record<Exclude<ReportDimension, 'meter'>, string>> = {
  consumer: 's.consumer',
  organization: 's.organization',
  offering: 's.offering_name',
  plan: 's.plan_name',
  instance: 's.instance_ref',
  binding: 's.lineage_id',
};
/** Events of the question as (at, subject_id, meter_id, quantity); `$1` from, `$2` to. */
const eventRows = (where: string): string => `select e.event_time as at, e.subject_id, m.meter_id, m.quantity::numeric
  from usage_event e, lateral (values (e.meter_id, e.quantity),
    ((select id from usage_meter where key = 'request-bytes'), e.request_bytes),
    ((select id from usage_meter where key = 'response-bytes'), e.response_bytes)) as m (meter_id, quantity)
  where e.event_time >= $1 and e.event_time < $2 and m.quantity > 0 ${where}`;
const unrolled = 'and e.batch_id = any (array(select id from usage_batch where not rolled))';
/** Sums of rolled batches and the events of the others, in one snapshot. */
const summed = (table: 'usage_hour' | 'usage_day', unit: 'hour' | 'day'): string =>
  `select ${unit} as at, subject_id, meter_id, quantity from ${table} where ${unit} >= $1 and ${unit} < $2 union all ${eventRows(unrolled)}`;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The coarsest table whose cells the question never cuts. */
function sourceOf({ from, to, window, timeZone }: ReportQuestion): string {
  const aligned = (ms: number): boolean => from.getTime() % ms === 0 && to.getTime() % ms === 0;
  if (timeZone === 'UTC' && window !== 'hour' && aligned(dayMs)) return summed('usage_day', 'day');
  return aligned(hourMs) && isOnTheHour(timeZone, from, to) ? summed('usage_hour', 'hour') : eventRows('');
}
/** Whether the zone's offset is whole hours at both ends (India's and Nepal's are not: their days cut our hours). */
function isOnTheHour(timeZone: string, ...moments: readonly Date[]): boolean {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, minute: '2-digit' });
  return moments.every((moment) => Number(format.format(moment)) === moment.getUTCMinutes());
}

const windowStart = (window: ReportQuestion['window']): string =>
  window === 'total' ? `$1::timestamptz` : `date_trunc('${window}', u.at at time zone $3) at time zone $3`;

/** One question, one query. Values are bound; only words of closed lists become SQL. */
function queryOf(question: ReportQuestion): string {
  const dimensions = question.groupBy.filter((each) => each !== 'meter');
  const columns = dimensions.map((each) => columnOf[each]);
  const shown = columns.map((column, n) => `${column} as k${n}`).join(', ');
  const spans = `select greatest(p.started_at, w.at) as at, p.subject_id, p.meter_id,
      extract(epoch from least(coalesce(p.ended_at, clock_timestamp()), $2, w.until) - greatest(p.started_at, $1, w.at)) / 3600 as quantity
    from usage_span p join windows w on p.started_at < w.until and coalesce(p.ended_at, clock_timestamp()) > w.at
    where p.started_at < $2 and coalesce(p.ended_at, clock_timestamp()) > $1`;
  const step = question.window === 'total' ? undefined : `1 ${question.window}`;
  const windows =
    step === undefined
      ? `select $1::timestamptz as at, $2::timestamptz as until`
      : `select t at time zone $3 as at, (t + interval '${step}') at time zone $3 as until
          from generate_series(date_trunc('${question.window}', $1::timestamptz at time zone $3), $2::timestamptz at time zone $3, interval '${step}') as t`;
  const grouped = [windowStart(question.window), 'm.key', 'm.unit', 's.attributed', ...columns];
  return `with windows as (${windows}), used as (${sourceOf(question)} union all ${spans})
    select ${windowStart(question.window)} as start, m.key as meter, m.unit, s.attributed${shown === '' ? '' : `, ${shown}`},
      trim_scale(round(sum(u.quantity), 6))::text as total
    from used u join usage_subject s on s.id = u.subject_id join usage_meter m on m.id = u.meter_id
    where ($4::uuid is null or s.platform_id = $4) and ($5::text is null or s.binding_ref = $5) and $3::text is not null
    group by ${grouped.map((_, n) => (n < 4 ? ['1', '2', '3', '4'][n] : String(n + 1))).join(', ')} having sum(u.quantity) > 0 order by 1, ${[...columns.map((_, n) => String(n + 5)), '2', '4 desc'].join(', ')}`;
}

export const pgUsageReports = (database: SqlDatabase, clock: Clock): UsageReports => ({
  async report(question) {
    const { from, to, timeZone, platformId, bindingRef } = question;
    const asOf = clock.now().toISOString();
    const { rows } = await database.run(queryOf(question), [from, to, timeZone, platformId, bindingRef]);
    const lines = rows.map((row) => lineOf(row, question));
    return { asOf, lines, unattributed: unattributedOf(lines) };
  },
});

function lineOf(row: Readonly<Record<string, unknown>>, { groupBy }: ReportQuestion): ReportLine {
  const dimensions = groupBy.filter((each) => each !== 'meter');
  const start = row['start'];
  return {
    windowStart: start instanceof Date ? start.toISOString() : String(start),
    keys: Object.fromEntries(dimensions.map((each, n) => [each, String(row[`k${n}`])])),
    meter: String(row['meter']),
    unit: String(row['unit']),
    total: String(row['total']),
    attributed: row['attributed'] === true,
  };
}

/** Whole millionths, so that nothing is lost in a float. */
const millionths = (total: string): bigint => {
  const [whole = '0', fraction = ''] = total.split('.');
  return BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
};
function unattributedOf(lines: readonly ReportLine[]): Report['unattributed'] {
  const sums = new Map<string, { all: bigint; none: bigint }>();
  for (const { meter, total, attributed } of lines) {
    const sum = sums.get(meter) ?? { all: 0n, none: 0n };
    const value = millionths(total);
    sums.set(meter, { all: sum.all + value, none: sum.none + (attributed ? 0n : value) });
  }
  return [...sums]
    .filter(([, { none }]) => none > 0n)
    .map(([meter, { all, none }]) => ({ meter, total: decimal(none), share: (Number((none * 10_000n) / all) / 10_000).toFixed(4) }));
}
const decimal = (value: bigint): string => {
  const fraction = String(value % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / 1_000_000n) : `${value / 1_000_000n}.${fraction}`;
};
