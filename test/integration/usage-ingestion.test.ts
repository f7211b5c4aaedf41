import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { installPointHook } from '../../src/kernel/points.ts';
import type { Usage } from '../../src/usage/create-usage.pg.ts';
import { freshDatabase } from '../support/database.ts';
import { requestEvent, reviewsHost, rollUp, totals, usageOn, webPrincipal } from '../support/usage.ts';

let db: Database;
let other: Database;
let drop: () => Promise<void>;
let usage: Usage;
beforeAll(async () => {
  const fresh = await freshDatabase();
  ({ db } = fresh);
  other = openDatabase({ url: fresh.url });
  drop = async () => {
    await other.close();
    await fresh.drop();
  };
});
afterAll(() => drop());
beforeEach(() => {
  usage = usageOn(db);
});
afterEach(async () => {
  installPointHook(undefined);
  await db.transaction(async (tx) => {
    await tx.run('lock table usage_event in access exclusive mode');
    const { rows } = await tx.run<{ leaf: string }>(
      "select inhrelid::regclass::text as leaf from pg_inherits where inhparent = 'usage_event'::regclass",
    );
    for (const { leaf } of rows) await tx.run(`drop table ${leaf}`);
    await tx.run('truncate usage_batch, usage_hour, usage_day, usage_quarantine');
  });
});
const many = (count: number, first = 0) => Array.from({ length: count }, (_, n) => requestEvent(first + n));
const events = async (): Promise<number> => (await db.run<{ n: number }>('select count(*) as n from usage_event')).rows[0]?.n ?? -1;
const counts = ({
  accepted,
  duplicate,
  conflict,
  rejected,
}: {
  accepted: number;
  duplicate: number;
  conflict: number;
  rejected: number;
}) => [accepted, duplicate, conflict, rejected];
const who = `? ${webPrincipal}`;

describe('an event is counted once', () => {
  test('however often it is sent, and the answer names the repeats', async () => {
    expect(await usage.ingestion.ingest('c', many(3))).toEqual({ accepted: 3, duplicate: 0, conflict: 0, rejected: 0, events: [] });
    const again = await usage.ingestion.ingest('c', many(4));
    expect(counts(again)).toEqual([1, 3, 0, 0]);
    expect(again.events[0]).toEqual({
      index: 0,
      id: 'e-0',
      result: 'duplicate',
      reason: expect.stringContaining('same source and id') as string,
    });
    expect(await totals(usage)).toEqual([`${who} request-bytes 12`, `${who} requests 4`, `${who} response-bytes 20`]);
  });
  test('also when one batch holds it several times', async () => {
    const twice = [...many(2), ...many(2).map((event) => ({ ...event, index: event.index + 2 }))];
    const receipt = await usage.ingestion.ingest('c', twice);
    expect(counts(receipt)).toEqual([2, 2, 0, 0]);
    expect(receipt.events.map(({ index }) => index)).toEqual([2, 3]);
    expect(await events()).toBe(2);
  });
  test('by source and id within its UTC day: another source or another day is another event', async () => {
    const receipt = await usage.ingestion.ingest('c', [
      requestEvent(0),
      requestEvent(1, { id: 'e-0', source: 'urn:other' }),
      requestEvent(2, { id: 'e-0', time: '2026-11-23T23:59:59.999Z' }),
      requestEvent(3, { id: 'e-0', time: '2026-11-24T00:00:00Z' }),
    ]);
    expect(counts(receipt)).toEqual([3, 0, 1, 0]);
  });
  test('and its first content stands when the same id comes with another one', async () => {
    await usage.ingestion.ingest('c', [requestEvent(0)]);
    const receipt = await usage.ingestion.ingest('c', [
      requestEvent(0, { data: { response_bytes: 999 } }),
      requestEvent(1, { id: 'e-0', time: '2026-11-24T11:00:01Z' }),
    ]);
    expect(receipt.events.map(({ result }) => result)).toEqual(['conflict', 'conflict']);
    expect(await totals(usage)).toContain(`${who} response-bytes 5`);
  });
  test('also when eight senders send the same batch at the same time, to two replicas', async () => {
    const replicas = [usage, usageOn(other)];
    const receipts = await Promise.all(
      Array.from({ length: 8 }, (_, n) => replicas[n % 2]!.ingestion.ingest(`c-${n}`, n % 3 === 0 ? many(500).reverse() : many(500))),
    );
    expect(receipts.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(500);
    expect(receipts.reduce((sum, { duplicate }) => sum + duplicate, 0)).toBe(3_500);
    expect(await events()).toBe(500);
    expect(await totals(usage)).toContain(`${who} requests 500`);
  });
  test('in 200 small requests at once, each with its own answer', async () => {
    const receipts = await Promise.all(Array.from({ length: 200 }, (_, n) => usage.ingestion.ingest('c', [requestEvent(n % 150)])));
    expect(receipts.filter(({ accepted }) => accepted === 1)).toHaveLength(150);
    expect(receipts.filter(({ events: [event] }) => event?.result === 'duplicate')).toHaveLength(50);
    const { rows } = await db.run<{ n: number }>('select count(*) as n from usage_batch');
    expect(rows[0]?.n).toBeLessThan(20);
  });
});

describe('a process that dies', () => {
  const dieAt = (name: string): void => {
    installPointHook((at) => {
      if (at !== name) return;
      installPointHook(undefined);
      throw new Error(`died at ${name}`);
    });
  };
  test('before the commit has counted nothing (M1)', async () => {
    dieAt('M1');
    await expect(usage.ingestion.ingest('c', many(10))).rejects.toThrow('died');
    expect([await events(), await totals(usage)]).toEqual([0, []]);
    expect(counts(await usageOn(db).ingestion.ingest('c', many(10)))).toEqual([10, 0, 0, 0]);
  });
  test('after the commit has counted all, and whoever sends again is told so (M2)', async () => {
    dieAt('M2');
    await expect(usage.ingestion.ingest('c', many(10))).rejects.toThrow('died');
    expect(counts(await usageOn(db).ingestion.ingest('c', many(10)))).toEqual([0, 10, 0, 0]);
    expect(await totals(usage)).toContain(`${who} requests 10`);
  });
  test('while sums are made has changed nothing, and another one makes them (M3)', async () => {
    await usage.ingestion.ingest('c', many(10));
    dieAt('M3');
    await expect(usage.tasks[0]?.activate(AbortSignal.timeout(1_000))).rejects.toThrow('died');
    expect((await db.run('select 1 from usage_hour')).count).toBe(0);
    await rollUp(usageOn(other));
    await rollUp(usage);
    const { rows } = await db.run('select quantity, request_bytes, response_bytes from usage_day');
    expect(rows).toEqual([{ quantity: '10', request_bytes: '30', response_bytes: '50' }]);
    expect(await totals(usage)).toContain(`${who} requests 10`);
  });
});

describe('sums', () => {
  test('are equal to the events whatever was rolled up when, also by two replicas at once', async () => {
    const replicas = [usage, usageOn(other)];
    const jobs: Promise<unknown>[] = [];
    for (let batch = 0; batch < 30; batch += 1) {
      const sent = Array.from({ length: 40 }, (_, n) =>
        requestEvent(batch * 30 + n, {
          time: new Date(Date.parse('2026-11-22T20:00:00Z') + (batch * 30 + n) * 120_000).toISOString(),
          data: { code: [200, 403, 429][n % 3] ?? 0, response_bytes: n, host: `h${n % 4}` },
        }),
      );
      jobs.push(...replicas.map((replica) => replica.ingestion.ingest('c', sent)));
      if (batch % 5 === 0)
        jobs.push(...replicas.map((replica) => replica.tasks[0]?.activate(AbortSignal.timeout(10_000)) ?? Promise.resolve()));
    }
    await Promise.all(jobs);
    const asked = { window: 'hour', groupBy: ['offering', 'meter'] } as const;
    const before = await totals(usage, asked);
    await rollUp(usage);
    expect(await totals(usage, asked)).toEqual(before);
    const { rows } = await db.run(`
      with ledger as (select date_trunc('hour', event_time, 'UTC') as hour, subject_id, meter_id, sum(quantity) as q, sum(request_bytes) as i, sum(response_bytes) as o from usage_event group by 1, 2, 3),
        days as (select date_trunc('day', hour, 'UTC') as day, subject_id, meter_id, sum(q) as q, sum(i) as i, sum(o) as o from ledger group by 1, 2, 3)
      select (select count(*) from ledger) as cells,
        (select count(*) from ledger l join usage_hour h using (hour, subject_id, meter_id) where (l.q, l.i, l.o) = (h.quantity, h.request_bytes, h.response_bytes)) as equal,
        (select count(*) from usage_hour) as hours, (select count(*) from days) as days,
        (select count(*) from days l join usage_day d using (day, subject_id, meter_id) where (l.q, l.i, l.o) = (d.quantity, d.request_bytes, d.response_bytes)) as same,
        (select count(*) from usage_batch where not rolled) as waiting`);
    const [row] = rows as { cells: number; equal: number; hours: number; days: number; same: number; waiting: number }[];
    expect(row?.cells).toBeGreaterThan(100);
    expect([row?.equal, row?.hours, row?.same, row?.waiting]).toEqual([row?.cells, row?.cells, row?.days, 0]);
    expect(await events()).toBe(30 * 30 + 10);
  });
  test('beyond the integers of a number are exact', async () => {
    const most = Number.MAX_SAFE_INTEGER;
    await usage.ingestion.ingest(
      'c',
      Array.from({ length: 3 }, (_, n) => requestEvent(n, { data: { response_bytes: most } })),
    );
    await rollUp(usage);
    expect(await totals(usage)).toContain(`${who} response-bytes ${BigInt(most) * 3n}`);
  });
});

describe('an event that cannot be counted', () => {
  test('is rejected by itself, and kept with the reason, once', async () => {
    const sent = [
      requestEvent(0),
      requestEvent(1, { time: '2026-10-01T00:00:00Z' }),
      requestEvent(2, { data: { code: 'ok' } }),
      requestEvent(3, { data: { principal: 'a b' } }),
    ];
    for (const accepted of [1, 0]) {
      const receipt = await usage.ingestion.ingest('c', sent);
      expect(counts(receipt)).toEqual([accepted, 1 - accepted, 0, 3]);
      expect(
        receipt.events.filter(({ result }) => result === 'rejected').map(({ index, reason }) => [index, reason.split(' ')[0]]),
      ).toEqual([
        [1, 'time'],
        [2, 'data.code'],
        [3, 'data.principal:'],
      ]);
    }
    const { rows } = await db.run("select collector, reason, event ->> 'id' as id from usage_quarantine order by id");
    expect(rows).toMatchObject([{ collector: 'c', id: 'e-1' }, { id: 'e-2' }, { id: 'e-3' }]);
  });
  test('is kept as it came, also where it is no event at all, once for each content', async () => {
    const raw = { specversion: '1.0', id: 'e-1', extra: [1, { b: 2, a: 1 }], data: { code: 'x' } };
    const other = { ...raw, extra: [] };
    const refused = [{ a: 1 }, 5, null, 'text', { long: 'x'.repeat(100_000) }].map((value, index) => ({
      index: index + 2,
      id: '',
      reason: 'id must be a non-empty string',
      raw: value,
    }));
    for (let times = 0; times < 2; times += 1) {
      const events = [raw, other].map((each, index) => ({ ...requestEvent(index, { id: 'e-1', data: { code: 'x' } }), raw: each }));
      const receipt = await usage.ingestion.ingest('c', events, refused);
      expect(counts(receipt)).toEqual([0, 0, 0, 7]);
      expect(receipt.events.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    }
    expect(counts(await usage.ingestion.ingest('c', [], refused.slice(0, 1)))).toEqual([0, 0, 0, 1]);
    const { rows } = await db.run<{ text: string; collector: string }>(
      'select event::text as text, collector from usage_quarantine order by id',
    );
    const kept = rows.map(({ text }) => text);
    expect(kept.filter((text) => text.length < 1_000).toSorted()).toEqual(
      [raw, other, { a: 1 }, 5, null, 'text'].map((each) => JSON.stringify(each)).toSorted(),
    );
    const [long] = kept.filter((text) => text.length > 1_000);
    expect(kept).toHaveLength(7);
    expect((JSON.parse(long ?? '') as { cut: string }).cut).toBe(`{"long":"${'x'.repeat(100_000)}`.slice(0, 65_536));
  });
  test('is kept also when its text is no text for a database', async () => {
    const receipt = await usage.ingestion.ingest('c', [
      requestEvent(0, { id: 'a\u0000b', data: { code: '\u0000\ud800' } }),
      requestEvent(1, { id: '\ud800' }),
      requestEvent(2, { id: 'c\u0000d' }),
    ]);
    expect(receipt.events.map(({ result }) => result)).toEqual(['rejected', 'rejected']);
    expect(receipt.accepted).toBe(1);
  });
  test('has a unit that its meter does not have', async () => {
    const quantity = (index: number, unit?: string) =>
      requestEvent(index, {
        type: 'dev.meshbroker.usage.v1',
        data: { meter: 'tokens', quantity: 7, ...(unit === undefined ? {} : { unit }) },
      });
    const receipt = await usage.ingestion.ingest('c', [quantity(0, 'token'), quantity(1)]);
    expect(counts(receipt)).toEqual([2, 0, 0, 0]);
    expect((await usage.ingestion.ingest('c', [quantity(2, 'byte')])).events[0]?.reason).toBe('data.unit: tokens is counted in token');
    expect(await totals(usage)).toEqual([`${who} tokens 14`]);
  });
});

describe('the ledger', () => {
  test('cannot be changed', async () => {
    await usage.ingestion.ingest('c', many(1));
    for (const table of ['usage_event', 'usage_event_20261124'])
      for (const change of [`update ${table} set quantity = 2`, `delete from ${table}`, `truncate ${table}`])
        await expect(db.run(change)).rejects.toThrow('append-only');
  });
  test('tells apart at most 1,000 hosts of one caller, because callers write what they like into a Host header', async () => {
    await usage.ingestion.ingest(
      'c',
      Array.from({ length: 1_000 }, (_, n) => requestEvent(n, { data: { host: `host-${n}` } })),
    );
    await usage.ingestion.ingest('c', [
      requestEvent(5_000, { data: { host: 'one-more' } }),
      requestEvent(5_001, { data: { host: 'host-7' } }),
    ]);
    const lines = await totals(usage, { groupBy: ['offering', 'meter'] });
    expect(lines).toContain('?  requests 1');
    expect(lines).toContain('? host-7 requests 2');
    expect(lines).not.toContain('? one-more requests 1');
    await db.run('delete from usage_subject where host like $1', ['host-%']);
  });
  test('keeps what nobody can be found for, under the principal that called', async () => {
    await usage.ingestion.ingest('c', [requestEvent(0), requestEvent(1, { data: { principal: null } })]);
    expect(await totals(usage, { groupBy: ['consumer', 'offering', 'meter'] })).toEqual(
      [webPrincipal, 'unknown'].flatMap((consumer) =>
        ['request-bytes 3', 'requests 1', 'response-bytes 5'].map((total) => `? ${consumer} ${reviewsHost} ${total}`),
      ),
    );
  });
});
