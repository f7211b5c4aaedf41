import { meterIds } from './meters.ts';
import type { ReportDimension, ReportQuestion } from './usage-port.ts';

/**
 * Parameters: $1 to $4 the pieces (window, kind, from, to), $5 to $7 the windows (number, from, to), $8 the platform or binding, where
 * there is a scope.
 */

/** $1 from, $2 to, $3 time zone. A window starts where the clocks of the zone say; hours are real hours, also when clocks are changed. */
export function windowsStatement(unit: ReportQuestion['window']): string {
  return `select start, to_char(start at time zone $3, 'YYYY-MM-DD"T"HH24:MI:SS') as local from (${startsOf(unit)}) as s where start < $2 order by start`;
}
function startsOf(unit: ReportQuestion['window']): string {
  if (unit === 'total') return 'select $1::timestamptz as start';
  return unit === 'hour'
    ? `select distinct date_trunc('hour', t, $3) as start
           from (select generate_series($1::timestamptz, $2::timestamptz, '15 minutes') union all select $2::timestamptz) as s (t)`
    : `select distinct l at time zone $3 as start
           from generate_series(date_trunc('${unit}', $1::timestamptz at time zone $3), $2::timestamptz at time zone $3, '1 ${unit}') as l`;
}

export type Scope = 'all' | 'platform' | 'binding';
export const scopeOf = ({ platformId, bindingRef }: ReportQuestion): Scope => {
  if (bindingRef !== null) return 'binding';
  return platformId === null ? 'all' : 'platform';
};
const subjectsOf = (column: string): string =>
  `select s.id from usage_subject s join attribution a on a.id = s.attribution_id where a.${column}`;
const subjectScope: Readonly<Record<Scope, string>> = {
  all: '',
  platform: `and subject_id in (${subjectsOf('platform_id = $8::uuid')})`,
  binding: `and subject_id = any(array(${subjectsOf('binding_ref = $8::text')}))`,
};
const spanScope: Readonly<Record<Scope, string>> = {
  all: '',
  platform: 'and s.platform_id = $8::uuid',
  binding: 'and s.ref = $8::text',
};

type KeyDimension = Exclude<ReportDimension, 'meter'>;
const plan = (withOffering: boolean, name: string, offering: string): string => (withOffering ? name : `${offering} || '/' || ${name}`);
/** Of usage: without a binding the consumer is the principal, and the offering the host that was called. */
const keysOfUsage = (withOffering: boolean): Readonly<Record<KeyDimension, string>> => ({
  consumer: `coalesce(a.consumer, nullif(s.principal, ''), 'unknown')`,
  organization: `coalesce(a.organization, '')`,
  offering: 'coalesce(a.offering_name, s.host)',
  plan: `coalesce(${plan(withOffering, 'a.plan_name', 'a.offering_name')}, '')`,
  instance: `coalesce(a.instance_ref, '')`,
  binding: `coalesce(a.lineage_id, '')`,
});
const keysOfSpans = (withOffering: boolean): Readonly<Record<KeyDimension, string>> => ({
  consumer: 's.consumer',
  organization: 's.organization',
  offering: 's.offering_name',
  plan: plan(withOffering, 's.plan_name', 's.offering_name'),
  instance: 's.instance_ref',
  binding: 's.lineage_id',
});
const sums = 'sum(quantity) as quantity, sum(request_bytes) as request_bytes, sum(response_bytes) as response_bytes';
const bytes = `values (meter_id, quantity), (${meterIds['request-bytes']}::smallint, request_bytes), (${meterIds['response-bytes']}::smallint, response_bytes)`;

/** Sums of one kind of piece by window, subject and meter. Lateral, so that each piece is one range of an index. */
const piecesFrom = (kind: string, table: string, time: string, scope: Scope): string => `
  select p.number, u.* from piece p cross join lateral (
    select subject_id, meter_id, ${sums} from ${table} where ${time} >= p.since and ${time} < p.until ${subjectScope[scope]} group by 1, 2
  ) as u where p.kind = '${kind}'`;

/** One question, one statement, one snapshot: sums, sums that still wait in their batches, events at the edges, spans. */
export function reportStatement({ groupBy }: Pick<ReportQuestion, 'groupBy'>, scope: Scope, limit: number): string {
  const dimensions = groupBy.filter((each) => each !== 'meter');
  const withOffering = dimensions.includes('offering');
  const names = dimensions.map((_, index) => `k${index}`);
  const selected = (of: Readonly<Record<KeyDimension, string>>): string =>
    dimensions.map((each, index) => `${of[each]} as k${index}, `).join('');
  const list = names.map((name) => `${name}, `).join('');
  return `
with piece as materialized (select * from unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[]) as p (number, kind, since, until)
), used as (${piecesFrom('day', 'usage_day', 'day', scope)}
  union all ${piecesFrom('hour', 'usage_hour', 'hour', scope)}
  union all ${piecesFrom('event', 'usage_event', 'event_time', scope)}
  union all
  select p.number, c.* from (
    select subject_id, meter_id, hour, quantity, request_bytes, response_bytes from usage_batch,
      unnest(cell_hours, cell_subjects, cell_meters, cell_quantities, cell_request_bytes, cell_response_bytes)
        as cell (hour, subject_id, meter_id, quantity, request_bytes, response_bytes)
     where not rolled ${subjectScope[scope]}
  ) as t join piece p on p.kind <> 'event' and to_timestamp(t.hour * 3600.0) >= p.since and to_timestamp(t.hour * 3600.0) < p.until
  cross join lateral (select t.subject_id, t.meter_id, t.quantity, t.request_bytes, t.response_bytes) as c
), by_subject as (select number, subject_id, meter_id, ${sums} from used group by 1, 2, 3
), by_key as (
  select number, ${selected(keysOfUsage(withOffering))}a.id is not null as attributed, meter_id, ${sums}
    from by_subject u join usage_subject s on s.id = u.subject_id left join attribution a on a.id = s.attribution_id
   group by number, ${list}attributed, meter_id
), counted as (
  select number, ${list}attributed, m.meter_id, m.quantity from by_key cross join lateral (${bytes}) as m (meter_id, quantity) where m.quantity > 0
  union all
  select w.number, ${selected(keysOfSpans(withOffering))}true as attributed, s.meter_id,
      extract(epoch from least(coalesce(s.ended_at, now()), now(), w.until) - greatest(s.started_at, w.since)) / 3600 as quantity
    from unnest($5::int[], $6::timestamptz[], $7::timestamptz[]) as w (number, since, until)
    join usage_span s on s.started_at < least(w.until, now()) and coalesce(s.ended_at, 'infinity') > w.since
   where true ${spanScope[scope]}
)
select number, ${list}attributed, m.name as meter, m.unit, trim_scale(round(sum(quantity), 6))::text as total
  from counted c join usage_meter m on m.id = c.meter_id
 group by number, ${list}attributed, m.name, m.unit
having round(sum(quantity), 6) > 0
 order by number, ${names.map((name) => `${name} collate "C", `).join('')}m.name collate "C", attributed desc limit ${limit}`;
}
