import { hash } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { point } from '../kernel/points.ts';
import type { BulkSql, SqlDatabase } from '../kernel/sql.ts';
import { sumUp, type Cells } from './cells.ts';
import type { EventRow } from './event-rows.ts';
import { dayMs, hourMs } from './event-time.ts';
import { IngestQueue } from './ingest-queue.ts';
import { makeLeaves, writeRows, type Fate } from './ledger.pg.ts';
import { Meters, SourceIds } from './names.pg.ts';
import type { KnownCaller } from './owner.ts';
import { Owners } from './owners.pg.ts';
import { graceMs } from './resolve.ts';
import { contentOf, judge, type Measurement } from './usage-event.ts';
import type { IncomingEvent, Receipt, RefusedEvent, UsageIngestion } from './usage-port.ts';

export interface IngestSettings {
  /** Older events are rejected. Never more than single events are kept: an id is known as long as it could count again. */
  readonly acceptPastDays: number;
  readonly acceptFutureSeconds: number;
}
/** An event that was judged: `reason` where it is rejected. */
interface Item {
  readonly event: IncomingEvent;
  readonly dedup: string;
  readonly measured: Measurement | undefined;
  readonly caller: KnownCaller | undefined;
  reason: string | undefined;
}
interface Counted extends Item {
  readonly measured: Measurement;
  readonly caller: KnownCaller;
}
const isCounted = (item: Item): item is Counted => item.reason === undefined;
const limits = { atOnce: 2, batch: 10_000 };
/** Above this part of repeated events a sender's next batch is compared with the ledger first. */
const hopelessShare = 0.01;
const mostSenders = 1_000;

/**
 * Exactly once: rows, their uniqueness, and the sums that are still to be rolled up commit together, so that a sender who hears nothing
 * may send again whatever happened.
 */
export function pgUsageIngestion(database: SqlDatabase, clock: Clock, settings: IngestSettings): UsageIngestion {
  const batches = new Batches(database, settings);
  const queue = new IngestQueue<Item, Fate | 'rejected'>((collector, items) => batches.store(collector, items, clock.now()), limits);
  return {
    async ingest(collector, events, refused = []) {
      const items = [...batches.judge(events, clock.now().getTime()), ...refused.map(refusedItem)];
      const fates = await queue.add(collector, items);
      await point('M2');
      return receiptOf(items, fates);
    },
  };
}

const refusedItem = ({ index, id, reason, raw }: RefusedEvent): Item => ({
  event: { index, id, source: '', type: '', time: '', subject: null, data: null, raw },
  dedup: '',
  measured: undefined,
  caller: undefined,
  reason,
});

class Batches {
  readonly #database: SqlDatabase;
  readonly #settings: IngestSettings;
  readonly #owners = new Owners();
  readonly #sources = new SourceIds();
  readonly #meters = new Meters();
  readonly #leaves = new Set<number>();
  readonly #repeats = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(database: SqlDatabase, settings: IngestSettings) {
    this.#database = database;
    this.#settings = settings;
  }
  judge(events: readonly IncomingEvent[], now: number): Item[] {
    const window = { now, pastDays: this.#settings.acceptPastDays, futureSeconds: this.#settings.acceptFutureSeconds };
    return events.map((event) => {
      const dedup = hash('sha256', `${event.source}\0${event.id}`, 'binary').slice(0, 16);
      const measured = judge(event, window);
      if (typeof measured === 'string') return { event, dedup, measured: undefined, caller: undefined, reason: measured };
      const caller = this.#owners.caller(measured.principal, measured.policy, measured.host);
      return { event, dedup, measured, caller, reason: caller === undefined ? 'data.principal: no principal looks like this' : undefined };
    });
  }
  async store(collector: string, items: readonly Item[], now: Date): Promise<readonly (Fate | 'rejected')[]> {
    const { batchId, rows } = await this.#oneByOne(async () => {
      const batchId = await this.#owners.refresh(this.#database);
      return { batchId, rows: await this.#rows(items, now) };
    });
    await makeLeaves(this.#database, this.#leaves, rows);
    let hopeful = (this.#repeats.get(collector) ?? 0) < hopelessShare;
    const written = await this.#database.bulk(async (tx) => {
      const fates = await writeRows(tx, batchId, rows, hopeful).finally(() => (hopeful = false)); // after a deadlock: in one order
      await insertBatch(tx, { batchId, collector, rows, fates, rejected: items.length - rows.length });
      await quarantine(tx, collector, items);
      await point('M1');
      return fates;
    });
    this.#remember(collector, written);
    let next = 0;
    return items.map((item) => (isCounted(item) ? (written[next++] ?? 'accepted') : 'rejected'));
  }
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
  /** One row for each event that is not rejected, in their order. Rejects those whose meter cannot be. */
  async #rows(items: readonly Item[], now: Date): Promise<readonly EventRow[]> {
    const first = items.filter(isCounted);
    const meters = await this.#meters.load(this.#database, unitsOf(first));
    for (const item of first) item.reason = whyNoMeter(item.measured, meters.get(item.measured.meter));
    const counted = first.filter(isCounted);
    const sources = await this.#sources.load(this.#database, new Set(counted.map(({ event }) => event.source)));
    const oldest = new Date(now.getTime() - this.#settings.acceptPastDays * dayMs - graceMs);
    const owners = await this.#owners.find(this.#database, counted, oldest);
    return counted.map(({ event, dedup, measured, caller }, place) => ({
      time: measured.time,
      quantity: measured.quantity,
      requestBytes: measured.requestBytes,
      responseBytes: measured.responseBytes,
      dedup,
      sourceId: sources.get(event.source) ?? 0,
      subjectId: owners[place]?.subjectId ?? 0,
      content: contentOf(measured, caller.checksum),
      meterId: meters.get(measured.meter)?.id ?? 0,
    }));
  }
  #remember(collector: string, fates: readonly Fate[]): void {
    if (fates.length === 0) return;
    const share = fates.reduce((count, fate) => (fate === 'accepted' ? count : count + 1), 0) / fates.length;
    if (this.#repeats.size >= mostSenders) this.#repeats.clear();
    this.#repeats.set(collector, (this.#repeats.get(collector) ?? share) * 0.7 + share * 0.3);
  }
}
function unitsOf(items: readonly Counted[]): ReadonlyMap<string, string> {
  const units = new Map<string, string>();
  for (const { measured } of items) if (!units.get(measured.meter)) units.set(measured.meter, measured.unit);
  return units;
}
function whyNoMeter({ meter, unit }: Measurement, known: { readonly unit: string } | undefined): string | undefined {
  if (known === undefined) return `data.meter: there are too many meters for ${meter}: use one that is there`;
  return unit !== '' && unit !== known.unit ? `data.unit: ${meter} is counted in ${known.unit}` : undefined;
}

interface Batch {
  readonly batchId: number;
  readonly collector: string;
  readonly rows: readonly EventRow[];
  readonly fates: readonly Fate[];
  readonly rejected: number;
}
const newBatch = {
  name: 'usage_batch_new',
  text: `insert into usage_batch (id, collector, accepted, duplicate, conflict, rejected, rolled,
      cell_hours, cell_subjects, cell_meters, cell_quantities, cell_request_bytes, cell_response_bytes)
    values ($1, $2, $3, $4, $5, $6, $3 = 0, $7::int[], $8::int[], $9::smallint[], $10::bigint[], $11::bigint[], $12::bigint[])`,
};
async function insertBatch(tx: BulkSql, { batchId, collector, rows, fates, rejected }: Batch): Promise<void> {
  const fresh = fates.every((fate) => fate === 'accepted') ? rows : rows.filter((_, place) => fates[place] === 'accepted');
  const count = (wanted: Fate): number => fates.reduce((sum, fate) => (fate === wanted ? sum + 1 : sum), 0);
  const counts = [fresh.length, count('duplicate'), count('conflict'), rejected];
  await tx.run(newBatch, [batchId, collector, ...counts, ...columns(sumUp(fresh))]);
}
const columns = ({ hours, subjects, meters, quantities, requestBytes, responseBytes }: Cells): string[] =>
  [hours.map((hour) => hour / hourMs), subjects, meters, quantities, requestBytes, responseBytes].map((each) => `{${each.join(',')}}`);

const keep = {
  name: 'usage_quarantine_keep',
  text: `insert into usage_quarantine (collector, dedup, reason, event)
    select $1, dedup, reason, event from unnest($2::uuid[], $3::text[], $4::json[]) as q (dedup, reason, event)
    order by dedup, reason on conflict do nothing`,
};
async function quarantine(tx: BulkSql, collector: string, items: readonly Item[]): Promise<void> {
  const rejected = items.filter((item) => !isCounted(item));
  if (rejected.length === 0) return;
  const texts = rejected.map(({ event }) => textOf(event));
  const keys = texts.map((text) => hash('sha256', text).slice(0, 32));
  await tx.run(keep, [collector, keys, rejected.map(({ reason }) => reason), texts]);
}
const longestKept = 65_536;
/** As it came; of a very long one the beginning. */
function textOf({ raw, id, source, type, time, subject, data }: IncomingEvent): string {
  const text = JSON.stringify(raw === undefined ? { id, source, type, time, subject, data } : raw);
  return text.length <= longestKept ? text : JSON.stringify({ cut: text.slice(0, longestKept) });
}

const reasons = {
  duplicate: 'counted before: the same source and id within the same UTC day',
  conflict: 'the same source and id were counted before with other content within the same UTC day: the first one stands',
};
function receiptOf(items: readonly Item[], fates: readonly (Fate | 'rejected')[]): Receipt {
  const counts = { accepted: 0, duplicate: 0, conflict: 0, rejected: 0 };
  const events: Receipt['events'][number][] = [];
  fates.forEach((result, place) => {
    counts[result] += 1;
    const item = items[place];
    if (result === 'accepted' || item === undefined) return;
    const reason = result === 'rejected' ? (item.reason ?? '') : reasons[result];
    events.push({ index: item.event.index, id: item.event.id, result, reason });
  });
  return { ...counts, events };
}
