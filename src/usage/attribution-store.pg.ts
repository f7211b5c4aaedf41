import type { Sql } from '../kernel/sql.ts';
import type { Attribution, AttributionStore, SpanStore } from './attribution.ts';
import { subjectIds, type Subject } from './subject-store.pg.ts';

const subjectOf = (a: Attribution): Subject => ({
  attributed: true,
  consumer: a.consumer,
  principal: a.principal,
  host: a.hosts[0] ?? '',
  platformId: a.platformId,
  organization: a.organization,
  offeringId: a.offeringId,
  offeringName: a.offeringName,
  planId: a.planId,
  planName: a.planName,
  instanceRef: a.instanceRef,
  lineageId: a.lineageId,
  bindingRef: a.bindingRef,
});
const close = {
  name: 'usage_attribution_close',
  text: 'update usage_attribution set valid_to = clock_timestamp() where binding_ref = $1 and valid_to is null and ($2::text is null or plan_id <> $2)',
};
const open = {
  name: 'usage_attribution_open',
  text: `insert into usage_attribution (binding_ref, principal, hosts, subject_id, plan_id) values ($1, $2, $3, $4, $5)
    on conflict (binding_ref) where valid_to is null do nothing`,
};

export const pgAttributionStore = (sql: Sql): AttributionStore => ({
  async open(attribution) {
    const subject = subjectOf(attribution);
    const idOf = await subjectIds(sql, [subject]);
    await sql.run(close, [attribution.bindingRef, attribution.planId]);
    const { bindingRef, principal, hosts, planId } = attribution;
    await sql.run(open, [bindingRef, principal, hosts, idOf(subject), planId]);
  },
  async close(bindingRef) {
    await sql.run(close, [bindingRef, null]);
  },
});

const openSpan = {
  name: 'usage_span_open',
  text: `insert into usage_span (owner, meter_id, subject_id) select $1, id, $3 from usage_meter where key = $2
    on conflict (owner) where ended_at is null do nothing`,
};
const closeSpan = {
  name: 'usage_span_close',
  text: 'update usage_span set ended_at = clock_timestamp() where owner = $1 and ended_at is null',
};

export const pgSpanStore = (sql: Sql): SpanStore => ({
  async openInstance({ instanceRef, platformId, organization, offeringId, offeringName, planId, planName }) {
    const where = { platformId, organization, offeringId, offeringName, planId, planName, instanceRef };
    const subject: Subject = { ...where, attributed: true, consumer: '', principal: '', host: '', lineageId: '', bindingRef: '' };
    const idOf = await subjectIds(sql, [subject]);
    await sql.run(openSpan, [instanceRef, 'instance-hours', idOf(subject)]);
  },
  async closeInstance(instanceRef) {
    await sql.run(closeSpan, [instanceRef]);
  },
  async openBinding(attribution) {
    const subject = subjectOf(attribution);
    const idOf = await subjectIds(sql, [subject]);
    await sql.run(openSpan, [attribution.bindingRef, 'binding-hours', idOf(subject)]);
  },
  async closeBinding(bindingRef) {
    await sql.run(closeSpan, [bindingRef]);
  },
});
