import type { Sql } from '../kernel/sql.ts';
import type { Attribution, AttributionStore } from './attribution.ts';

const fields =
  'binding_ref, lineage_id, instance_ref, platform_id, organization, offering_id, offering_name, plan_id, plan_name, consumer, principal, hosts';
const given = '$1::text, $2::text, $3::text, $4::uuid, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::text, $12::text[]';

/** One moment ends the old row and starts the new one: no event falls between them or on both, even when the clock was set back. */
const open = {
  name: 'attribution_open',
  text: `
with moment as (select clock_timestamp() as now), present as (
  select id, (${fields}) is not distinct from row (${given}) as same from attribution where binding_ref = $1 and valid_to is null for update
), ended as (
  update attribution a set valid_to = greatest(moment.now, a.valid_from), changed = pg_current_xact_id()
    from moment, present where a.id = present.id and not present.same returning a.valid_to
)
insert into attribution (${fields}, valid_from)
select ${given}, coalesce((select valid_to from ended), greatest(moment.now, (select max(valid_to) from attribution where binding_ref = $1)))
  from moment where not exists (select 1 from present where same)`,
};
const close = {
  name: 'attribution_close',
  text: `update attribution set valid_to = greatest(clock_timestamp(), valid_from), changed = pg_current_xact_id()
    where binding_ref = $1 and valid_to is null`,
};

export const pgAttributionStore = (sql: Sql): AttributionStore => ({
  async open(a: Attribution) {
    const order = [a.bindingRef, a.lineageId, a.instanceRef, a.platformId, a.organization, a.offeringId, a.offeringName, a.planId];
    await sql.run(open, [...order, a.planName, a.consumer, a.principal, a.hosts]);
  },
  async close(bindingRef) {
    await sql.run(close, [bindingRef]);
  },
});
