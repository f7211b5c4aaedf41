import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import type { Usage } from '../../src/usage/create-usage.pg.ts';
import type { IncomingEvent, ReportQuestion } from '../../src/usage/usage-port.ts';
import { freshDatabase } from '../support/database.ts';
import {
  attributed,
  attribution,
  question,
  requestEvent,
  reviewsHost,
  rollUp,
  shown,
  totals,
  usageOn,
  webPrincipal,
} from '../support/usage.ts';

let db: Database;
let drop: () => Promise<void>;
let usage: Usage;
const otherPlatform = '00000000-0000-4000-8000-000000000002';
const nightly = 'spiffe://mesh.example.com/ns/batch/sa/nightly';

/** The same for every run: a small generator of numbers below 2^32. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
}
const first = Date.parse('2026-10-20T13:00:00Z');
const last = Date.parse('2026-11-24T11:59:00Z');
const next = numbers(7);
const events: readonly (IncomingEvent & { readonly at: number; readonly bytes: number; readonly own: boolean })[] = Array.from(
  { length: 3_000 },
  (_, n) => {
    // many of them around the change of the clocks
    const at = n % 3 === 0 ? Date.parse('2026-10-24T12:00:00Z') + (next() % 86_400_000) : first + (next() % (last - first));
    const own = next() % 4 > 0;
    const bytes = next() % 10_000;
    const data = { principal: own ? webPrincipal : nightly, host: reviewsHost, code: 200, request_bytes: 0, response_bytes: bytes };
    return { ...requestEvent(n, { time: new Date(at).toISOString(), data }), at, bytes, own };
  },
);

beforeAll(async () => {
  ({ db, drop } = await freshDatabase());
  usage = usageOn(db);
  await attributed(db, usage, attribution('web'));
  for (let batch = 0; batch < 6; batch += 1) {
    await usage.ingestion.ingest(
      'c',
      events.filter(({ index }) => index % 6 === batch),
    );
    if (batch === 3) await rollUp(usage);
  }
});
afterAll(() => drop());

/** Where the clocks of a zone show the start of a window, by the platform's own zone data. */
function windowKey(window: ReportQuestion['window'], timeZone: string): (at: number) => string {
  if (window === 'total') return () => 'total';
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    timeZoneName: 'longOffset',
  });
  const length = { hour: 13, day: 10, month: 7 }[window];
  return (at) => {
    const text = format.format(at);
    return window === 'hour' ? `${text.slice(0, length)} ${text.slice(text.indexOf('GMT'))}` : text.slice(0, length);
  };
}
/** What the report must say, counted one event at a time: window, requests and bytes. */
function counted(window: ReportQuestion['window'], timeZone: string, from: number, to: number): string[] {
  const key = windowKey(window, timeZone);
  const sums = new Map<string, { own: number; bytes: number; others: number }>();
  for (const { at, bytes, own } of events) {
    if (at < from || at >= to) continue;
    const sum = sums.get(key(at)) ?? { own: 0, bytes: 0, others: 0 };
    sums.set(key(at), { own: sum.own + (own ? 1 : 0), bytes: sum.bytes + bytes, others: sum.others + (own ? 0 : 1) });
  }
  return [...sums.values()].map(({ own, bytes, others }) => `${own} ${others} ${bytes}`);
}
async function reported(changes: Partial<ReportQuestion>): Promise<string[]> {
  const { lines } = await usage.reports.report(question({ groupBy: ['meter'], ...changes }));
  const windows = new Map<string, { own: number; bytes: number; others: number }>();
  for (const { windowStart, meter, total, attributed: own } of lines) {
    const sum = windows.get(windowStart) ?? { own: 0, bytes: 0, others: 0 };
    if (meter === 'response-bytes') sum.bytes += Number(total);
    else if (own) sum.own += Number(total);
    else sum.others += Number(total);
    windows.set(windowStart, sum);
  }
  return [...windows].filter(([, { own, others }]) => own + others > 0).map(([, { own, bytes, others }]) => `${own} ${others} ${bytes}`);
}

describe('a report is equal to the count of its events', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Pacific/Chatham',
  ];
  const windows = ['hour', 'day', 'month', 'total'] as const;
  test.each(zones.flatMap((zone) => windows.map((window) => [window, zone] as const)))('by %s in %s', async (window, timeZone) => {
    const random = numbers(zones.indexOf(timeZone) + 99);
    const spans: [number, number][] = [
      [Date.parse('2026-10-20T00:00:00Z'), Date.parse('2026-11-25T00:00:00Z')],
      [first + (random() % 400_000_000), last - (random() % 400_000_000)],
      [Date.parse('2026-10-24T22:00:00Z'), Date.parse('2026-10-25T07:17:31.123Z')],
    ];
    for (const [from, to] of spans) {
      const byTime = (list: string[]): string[] => list.toSorted();
      expect(byTime(await reported({ window, timeZone, from: new Date(from), to: new Date(to) }))).toEqual(
        byTime(counted(window, timeZone, from, to)),
      );
    }
  });
  test('and nothing changes when the rest is rolled up', async () => {
    const ask = () =>
      Promise.all(
        (['hour', 'day', 'month', 'total'] as const).map((window) =>
          totals(usage, { window, timeZone: 'Asia/Kolkata', from: new Date(first) }),
        ),
      );
    const before = await ask();
    await rollUp(usage);
    expect(await ask()).toEqual(before);
  });
});

describe('windows', () => {
  const starts = async (changes: Partial<ReportQuestion>): Promise<string[]> => [
    ...new Set((await usage.reports.report(question({ groupBy: ['meter'], ...changes }))).lines.map(({ windowStart }) => windowStart)),
  ];
  test('start where the clocks of the zone say, with their offset', async () => {
    const berlin = { timeZone: 'Europe/Berlin', from: new Date('2026-10-23T22:00:00Z'), to: new Date('2026-10-26T23:00:00Z') };
    expect(await starts({ ...berlin, window: 'day' })).toEqual([
      '2026-10-24T00:00:00+02:00',
      '2026-10-25T00:00:00+02:00',
      '2026-10-26T00:00:00+01:00',
    ]);
    expect(await starts({ ...berlin, window: 'month' })).toEqual(['2026-10-01T00:00:00+02:00']);
    expect(await starts({ ...berlin, window: 'total' })).toEqual(['2026-10-24T00:00:00+02:00']);
    expect(await starts({ ...berlin, window: 'total', timeZone: 'UTC' })).toEqual(['2026-10-23T22:00:00Z']);
    expect(
      await starts({ ...berlin, window: 'hour', from: new Date('2026-10-25T00:00:00Z'), to: new Date('2026-10-25T02:00:00Z') }),
    ).toEqual(['2026-10-25T02:00:00+02:00', '2026-10-25T02:00:00+01:00']);
    expect(
      await starts({ timeZone: 'UTC', window: 'day', from: new Date('2026-10-24T05:00:00Z'), to: new Date('2026-10-25T05:00:00Z') }),
    ).toEqual(['2026-10-24T00:00:00Z', '2026-10-25T00:00:00Z']);
  });
  test('are refused when there are too many, and zones that do not exist, with the fix', async () => {
    await expect(totals(usage, { window: 'hour', from: new Date('2020-01-01T00:00:00Z') })).rejects.toThrow(
      /^window: .* ask for longer windows$/,
    );
    await expect(totals(usage, { window: 'day', timeZone: 'Mars/Olympus' })).rejects.toThrow('time_zone');
  });
});

describe('the keys of a report', () => {
  const day = { from: new Date('2026-11-24T00:00:00Z'), to: new Date('2026-11-25T00:00:00Z') };
  const keys = async (groupBy: ReportQuestion['groupBy']): Promise<unknown[]> =>
    (await usage.reports.report(question({ ...day, groupBy }))).lines.filter(({ meter }) => meter === 'requests').map((line) => line.keys);
  test('name consumer, organization, offering, plan, instance and lineage; without a binding the principal and the host', async () => {
    expect(await keys(['consumer', 'organization', 'offering', 'plan', 'instance', 'binding', 'meter'])).toEqual([
      { consumer: nightly, organization: '', offering: reviewsHost, plan: '', instance: '', binding: '' },
      {
        consumer: 'web/web-frontend',
        organization: 'org-1',
        offering: 'reviews',
        plan: 'canary',
        instance: attribution('web').instanceRef,
        binding: 'lineage-web',
      },
    ]);
  });
  test('name the offering of a plan that is asked for alone', async () => {
    expect(await keys(['plan'])).toEqual([{ plan: '' }, { plan: 'reviews/canary' }]);
  });
  test('may be none', async () => {
    expect(await keys([])).toEqual([{}, {}]);
  });
});

describe('each answer says', () => {
  test('as of when', async () => {
    const before = (await db.run<{ now: Date }>('select clock_timestamp() as now')).rows[0]?.now ?? new Date(0);
    const { asOf } = await usage.reports.report(question());
    expect(Date.parse(asOf)).toBeGreaterThanOrEqual(before.getTime());
  });
  test('what part no binding explains, as decimals', async () => {
    const { unattributed } = await usage.reports.report(question({ from: new Date(first), to: new Date(last + 60_000) }));
    const none = events.filter(({ own }) => !own);
    const bytes = (list: readonly { readonly bytes: number }[]): number => list.reduce((sum, each) => sum + each.bytes, 0);
    expect(unattributed).toEqual([
      { meter: 'requests', total: String(none.length), share: (none.length / events.length).toFixed(4) },
      { meter: 'response-bytes', total: String(bytes(none)), share: (bytes(none) / bytes(events)).toFixed(4) },
    ]);
  });
});

describe('a platform sees', () => {
  test('its own usage only, and nothing of what no binding explains', async () => {
    await attributed(db, usage, attribution('other', { platformId: otherPlatform, consumer: 'cf/app', principal: 'spiffe://x/cf' }));
    await usage.ingestion.ingest('c', [requestEvent(9_000, { time: '2026-11-24T10:00:00Z', data: { principal: 'spiffe://x/cf' } })]);
    const asked = { platformId: otherPlatform, from: new Date('2026-11-24T00:00:00Z') };
    const report = await usage.reports.report(question(asked));
    expect(shown(report.lines)).toEqual(['cf/app request-bytes 3', 'cf/app requests 1', 'cf/app response-bytes 5']);
    expect(report.unattributed).toEqual([]);
    expect(await totals(usage, { platformId: '00000000-0000-4000-8000-000000000003' })).toEqual([]);
  });
  test('one binding alone when it asks for that', async () => {
    const { bindingRef } = attribution('other');
    expect(await totals(usage, { platformId: otherPlatform, bindingRef, groupBy: ['meter'] })).toEqual([
      'request-bytes 3',
      'requests 1',
      'response-bytes 5',
    ]);
  });
});

describe('hours', () => {
  test('are the exact overlap of lives and windows, from the rows of the broker', async () => {
    const store = usage.spansOn(db);
    await store.openInstance({ ...attribution('web') });
    await store.openBinding(attribution('web'));
    await db.run("update usage_span set started_at = '2026-11-20T22:30:00Z', ended_at = '2026-11-22T01:15:00.000001Z' where meter_id = 8");
    await db.run("update usage_span set started_at = '2026-11-21T00:00:01Z', ended_at = '2026-11-21T00:00:02Z' where meter_id = 9");
    const asked = { groupBy: ['offering', 'plan', 'consumer'], platformId: attribution('web').platformId } as const;
    const hours = async (changes: Partial<ReportQuestion>): Promise<string[]> =>
      (await usage.reports.report(question({ ...asked, ...changes }))).lines
        .filter(({ meter }) => meter.endsWith('-hours'))
        .map(
          ({ windowStart, keys, meter, total }) =>
            `${windowStart.slice(0, 10)} ${keys.plan ?? ''} ${keys.consumer ?? ''} ${meter} ${total}`,
        );
    expect(await hours({ window: 'day' })).toEqual([
      '2026-11-20 canary  instance-hours 1.5',
      '2026-11-21 canary  instance-hours 24',
      '2026-11-21 canary web/web-frontend binding-hours 0.000278',
      '2026-11-22 canary  instance-hours 1.25',
    ]);
    expect(await hours({ from: new Date('2026-11-21T23:00:00Z'), to: new Date('2026-11-22T00:10:00Z') })).toEqual([
      '2026-11-21 canary  instance-hours 1.166667',
    ]);
    expect(await hours({ bindingRef: attribution('web').bindingRef })).toEqual([
      '2026-11-01 canary web/web-frontend binding-hours 0.000278',
    ]);
  });
  test('of what still lives end now', async () => {
    await usage.spansOn(db).openInstance({ ...attribution('x'), instanceRef: 'mb-living', organization: 'org-x' });
    await db.run("update usage_span set started_at = now() - interval '90 minutes' where ref = 'mb-living'");
    const now = Date.now();
    const { lines } = await usage.reports.report(
      question({ groupBy: ['organization'], from: new Date(now - 86_400_000), to: new Date(now + 86_400_000) }),
    );
    expect(Number(lines.find(({ keys }) => keys.organization === 'org-x')?.total)).toBeCloseTo(1.5, 1);
  });
});
