import type { Sql } from '../kernel/sql.ts';
import type { SpanStore } from './attribution.ts';
import { meterIds } from './meters.ts';

/** An open span under the same plan is kept; another plan ends it at the moment the new one starts. */
const open = {
  name: 'usage_span_open',
  text: `
with moment as (select clock_timestamp() as now), present as (
  select id, plan_id = $6 as same from usage_span where ref = $2 and ended_at is null for update
), ended as (
  update usage_span s set ended_at = greatest(moment.now, s.started_at)
    from moment, present where s.id = present.id and not present.same returning s.ended_at
)
insert into usage_span (meter_id, ref, platform_id, organization, offering_name, plan_id, plan_name, instance_ref, lineage_id, consumer, started_at)
select $1::smallint, $2::text, $3::uuid, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, coalesce((select ended_at from ended), moment.now)
  from moment where not exists (select 1 from present where same)`,
};
const close = {
  name: 'usage_span_close',
  text: 'update usage_span set ended_at = greatest(clock_timestamp(), started_at) where ref = $1 and ended_at is null',
};

export const pgSpanStore = (sql: Sql): SpanStore => {
  const end = async (ref: string): Promise<void> => {
    await sql.run(close, [ref]);
  };
  return {
    async openInstance(s) {
      const plan = [s.platformId, s.organization, s.offeringName, s.planId, s.planName];
      await sql.run(open, [meterIds['instance-hours'], s.instanceRef, ...plan, s.instanceRef, '', '']);
    },
    closeInstance: end,
    async openBinding(a) {
      const plan = [a.platformId, a.organization, a.offeringName, a.planId, a.planName];
      await sql.run(open, [meterIds['binding-hours'], a.bindingRef, ...plan, a.instanceRef, a.lineageId, a.consumer]);
    },
    closeBinding: end,
  };
};
