import type { Clock } from '../kernel/clock.ts';
import { point } from '../kernel/points.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import { resolve, type AttributionLine } from './resolve.ts';
import { subjectIds, unattributed } from './subject-store.pg.ts';
import { judge, type UsageEvent } from './usage-event.ts';
import type { IncomingEvent, Receipt, UsageIngestion } from './usage-port.ts';

export interface IngestSettings {
  /** Older events are rejected: the window never reaches behind the oldest leaf, so that an id is never forgotten while it counts. */
  readonly maxPastDays: number;
  readonly maxFutureSeconds: number;
}
const dayMs = 86_400_000;
const attributions = {
  name: 'usage_attributions',
  text: `select a.binding_ref as "bindingRef", s.lineage_id as "lineageId", a.principal, a.hosts, a.subject_id as "subjectId", a.valid_from, a.valid_to
    from usage_attribution a join usage_subject s on s.id = a.subject_id where a.binding_ref = any ($1) or a.principal = any ($2)`,
};
const insertBatch = { name: 'usage_batch_insert', text: 'insert into usage_batch (source, events) values ($1, $2) returning id' };
const insertEvents = {
  name: 'usage_event_insert',
  text: `insert into usage_event (event_time, dedup, content, batch_id, subject_id, meter_id, quantity, request_bytes, response_bytes)
    select t, d, c, $1, s, m, q, rq, rs from unnest($2::timestamptz[], $3::uuid[], $4::int8[], $5::int4[], $6::int2[], $7::int8[], $8::int8[], $9::int8[])
      as e (t, d, c, s, m, q, rq, rs) on conflict do nothing returning replace(dedup::text, '-', '') || to_char(event_time at time zone 'UTC', 'YYYYMMDD') as key`,
};
const present = {
  name: 'usage_event_present',
  text: `select replace(e.dedup::text, '-', '') || to_char(e.event_time at time zone 'UTC', 'YYYYMMDD') as key, e.content::text as content
    from unnest($1::uuid[], $2::timestamptz[]) as asked (dedup, day)
    join usage_event e on e.dedup = asked.dedup and e.event_time >= asked.day and e.event_time < asked.day + interval '1 day'`,
};
const reject = {
  name: 'usage_rejected_insert',
  text: 'insert into usage_rejected (source, reason, event) select $1, r, e from unnest($2::text[], $3::jsonb[]) as x (r, e)',
};

/** Exactly once: batch, events and their uniqueness commit together; sums are made later of what is there (roll-up.pg.ts). */
export function pgUsageIngestion(database: SqlDatabase, clock: Clock, settings: IngestSettings): UsageIngestion {
  const meters = new Map<string, number>();
  const leaves = new Set<string>();
  return {
    async ingest(collector, incoming) {
      const now = clock.now().getTime();
      const window = { oldest: new Date(now - settings.maxPastDays * dayMs), newest: new Date(now + settings.maxFutureSeconds * 1_000) };
      const judged = incoming.map((event) => ({ event, verdict: judge(event, window) }));
      const events = judged.flatMap(({ verdict }) => (verdict.ok ? [verdict.event] : []));
      const rejected = judged.flatMap(({ event, verdict }) => (verdict.ok ? [] : [{ event, reason: verdict.reason }]));
      await makeMeters(database, meters, events);
      await makeLeaves(database, leaves, events);
      const subjectOf = await resolveAll(database, events);
      await point('M1');
      const fates = await database.transaction(async (tx) => {
        if (rejected.length > 0)
          await tx.run(reject, [collector, rejected.map(({ reason }) => reason), rejected.map(({ event }) => JSON.stringify(event))]);
        return events.length === 0 ? [] : store(tx, collector, events, (event) => meters.get(event.meter) ?? 0, subjectOf);
      });
      await point('M2');
      return receiptOf(fates, rejected);
    },
  };
}

interface Fate {
  readonly event: UsageEvent;
  readonly result: 'accepted' | 'duplicate' | 'conflict';
}
const dayOf = (event: UsageEvent): string => event.time.toISOString().slice(0, 10);
const keyOf = (event: UsageEvent): string => event.dedup + dayOf(event).replaceAll('-', '');

async function store(
  tx: Sql,
  collector: string,
  events: readonly UsageEvent[],
  meterOf: (event: UsageEvent) => number,
  subjectOf: (event: UsageEvent) => number,
): Promise<readonly Fate[]> {
  const first = new Map<string, UsageEvent>();
  for (const event of events) if (!first.has(keyOf(event))) first.set(keyOf(event), event);
  const once = [...first.values()];
  const batch = (await tx.run<{ id: number }>(insertBatch, [collector, once.length])).rows[0]?.id;
  const columns: unknown[][] = [[], [], [], [], [], [], [], []];
  for (const event of once) {
    const row = [
      event.time,
      event.dedup,
      event.content,
      subjectOf(event),
      meterOf(event),
      event.quantity,
      event.requestBytes,
      event.responseBytes,
    ];
    row.forEach((value, column) => columns[column]?.push(value));
  }
  const inserted = new Set((await tx.run<{ key: string }>(insertEvents, [batch, ...columns])).rows.map(({ key }) => key));
  const known = new Map<string, string>();
  const repeated = once.filter((event) => !inserted.has(keyOf(event)));
  if (repeated.length > 0) {
    const asked = [repeated.map(({ dedup }) => dedup), repeated.map((event) => `${dayOf(event)}T00:00:00Z`)];
    for (const { key, content } of (await tx.run<{ key: string; content: string }>(present, asked)).rows) known.set(key, content);
  }
  return events.map((event) => {
    const key = keyOf(event);
    const isFirst = first.get(key) === event;
    if (isFirst && inserted.has(key)) return { event, result: 'accepted' };
    const content = isFirst ? known.get(key) : (known.get(key) ?? first.get(key)?.content);
    return { event, result: content === event.content ? 'duplicate' : 'conflict' };
  });
}

const reasons = {
  duplicate: 'counted before: the same source and id on the same day',
  conflict: 'the same source and id came with other content; the first is kept',
} as const;
function receiptOf(fates: readonly Fate[], rejected: readonly { readonly event: IncomingEvent; readonly reason: string }[]): Receipt {
  const count = (result: Fate['result']): number => fates.filter((fate) => fate.result === result).length;
  const told = fates.flatMap(({ event: { index, id }, result }) =>
    result === 'accepted' ? [] : [{ index, id, result, reason: reasons[result] }],
  );
  const refused = rejected.map(({ event: { index, id }, reason }) => ({ index, id, result: 'rejected' as const, reason }));
  return {
    accepted: count('accepted'),
    duplicate: count('duplicate'),
    conflict: count('conflict'),
    rejected: rejected.length,
    events: [...told, ...refused].sort((a, b) => a.index - b.index),
  };
}

async function makeMeters(database: SqlDatabase, known: Map<string, number>, events: readonly UsageEvent[]): Promise<void> {
  const missing = new Map(events.filter(({ meter }) => !known.has(meter)).map(({ meter, unit }) => [meter, unit]));
  if (missing.size === 0) return;
  const keys = [...missing.keys()];
  await database.run('insert into usage_meter (key, unit) select * from unnest($1::text[], $2::text[]) on conflict (key) do nothing', [
    keys,
    [...missing.values()],
  ]);
  const { rows } = await database.run<{ id: number; key: string }>('select id, key from usage_meter where key = any ($1)', [keys]);
  for (const { id, key } of rows) known.set(key, id);
}
async function makeLeaves(database: SqlDatabase, known: Set<string>, events: readonly UsageEvent[]): Promise<void> {
  for (const day of new Set(events.map(dayOf))) {
    if (known.has(day)) continue;
    await database.run('select usage_leaf($1::date)', [day]);
    known.add(day);
  }
}

async function resolveAll(database: SqlDatabase, events: readonly UsageEvent[]): Promise<(event: UsageEvent) => number> {
  const refs = [...new Set(events.map(({ bindingRef }) => bindingRef))].filter((ref) => ref !== '');
  const principals = [...new Set(events.map(({ principal }) => principal))].filter((principal) => principal !== '');
  const { rows } = await database.run<Omit<AttributionLine, 'from' | 'to'> & { valid_from: Date; valid_to: Date | null }>(attributions, [
    refs,
    principals,
  ]);
  const byRef = new Map<string, AttributionLine[]>();
  const byPrincipal = new Map<string, AttributionLine[]>();
  for (const { valid_from: from, valid_to: to, ...line } of rows) {
    const whole = { ...line, from: from.getTime(), to: to?.getTime() ?? Number.POSITIVE_INFINITY };
    byRef.set(line.bindingRef, [...(byRef.get(line.bindingRef) ?? []), whole]);
    byPrincipal.set(line.principal, [...(byPrincipal.get(line.principal) ?? []), whole]);
  }
  const found = new Map<UsageEvent, number>();
  const strangers: UsageEvent[] = [];
  for (const event of events) {
    const subject = resolve(event, byRef, byPrincipal);
    if (subject === undefined) strangers.push(event);
    else found.set(event, subject);
  }
  const strangerOf = (event: UsageEvent): ReturnType<typeof unattributed> => unattributed(event.principal, event.host);
  const idOf = strangers.length === 0 ? undefined : await subjectIds(database, strangers.map(strangerOf));
  return (event) => found.get(event) ?? idOf?.(strangerOf(event)) ?? 0;
}
