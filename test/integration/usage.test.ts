import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewayHostTest } from '../../src/mesh/hosts.ts';
import { importAccessLogs, type CloudEvent } from '../../src/usage/import/import-access-logs.ts';
import type { Receipt, Report, ReportQuestion } from '../../src/usage/usage-port.ts';
import { createUsage, type Usage } from '../../src/usage/create-usage.pg.ts';
import { generateLogs, principalOf, type Counted } from '../support/access-logs.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { meshSettings } from '../support/mesh-contributions.ts';
import { osbClient, type Ids, type OsbClient } from '../support/osb-client.ts';

const now = new Date('2026-11-24T12:00:00.000Z');
const clock = { now: () => now };
const signal = AbortSignal.timeout(600_000);
let fresh: FreshDatabase;
let usage: Usage;
beforeAll(async () => {
  fresh = await freshDatabase();
  usage = createUsage({ database: fresh.db, clock, settings: { keepDays: 400 } });
});
afterAll(() => fresh.drop());

const rollUp = async (room: Usage = usage): Promise<void> => {
  for (const task of room.tasks) if (task.name === 'usage-roll-up') while (await task.activate(signal));
};
const ingest = (events: readonly CloudEvent[], room: Usage = usage): Promise<Receipt> =>
  room.ingestion.ingest(
    'test',
    events.map((event, index) => ({ ...event, index, subject: null })),
  );
const event = (id: string, data: Record<string, string | number> = {}, time = now.toISOString(), source = 'a'): CloudEvent => ({
  specversion: '1.0',
  id,
  source,
  type: 'dev.meshbroker.request.v1',
  time,
  data: {
    principal: 'spiffe://mesh.example.com/ns/x/sa/y',
    host: 'h.x.svc.cluster.local',
    code: 200,
    request_bytes: 1,
    response_bytes: 10,
    ...data,
  },
});
const question = (part: Partial<ReportQuestion> = {}): ReportQuestion => ({
  platformId: null,
  bindingRef: null,
  groupBy: ['consumer', 'meter'],
  window: 'total',
  from: new Date('2026-11-01T00:00:00Z'),
  to: new Date('2026-12-01T00:00:00Z'),
  timeZone: 'UTC',
  ...part,
});
const total = (report: Report, meter: string, consumer?: string): string | undefined =>
  report.lines.find((line) => line.meter === meter && (consumer === undefined || line.keys.consumer === consumer))?.total;

describe('ingestion', () => {
  test('counts an event once, tells duplicates from conflicts, and keeps what it rejects with the reason', async () => {
    expect(await ingest([event('1'), event('2'), event('1')])).toMatchObject({ accepted: 2, duplicate: 1, conflict: 0, rejected: 0 });
    const again = await ingest([
      event('1'),
      event('2', { code: 500 }),
      event('3', { code: 'x' }),
      event('4', {}, '2020-01-01T00:00:00Z'),
      event('5', {}, '2027-01-01T00:00:00Z'),
    ]);
    expect(again).toMatchObject({ accepted: 0, duplicate: 1, conflict: 1, rejected: 3 });
    expect(again.events.map(({ index, result }) => [index, result])).toEqual([
      [0, 'duplicate'],
      [1, 'conflict'],
      [2, 'rejected'],
      [3, 'rejected'],
      [4, 'rejected'],
    ]);
    expect(again.events[2]?.reason).toContain('data.code');
    expect((await fresh.db.run('select reason from usage_quarantine')).count).toBe(3);
  });
  test('the same id on another UTC day is another event', async () => {
    expect(await ingest([event('day', {}, '2026-11-20T23:59:59.999Z'), event('day', {}, '2026-11-21T00:00:00Z')])).toMatchObject({
      accepted: 2,
    });
  });
  test('concurrent senders of the same events count them once', async () => {
    const events = Array.from({ length: 500 }, (_, n) => event(`same-${n}`));
    const receipts = await Promise.all(Array.from({ length: 4 }, () => ingest(events)));
    expect(receipts.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(500);
    expect(receipts.reduce((sum, { duplicate }) => sum + duplicate, 0)).toBe(1_500);
  });
});

describe('reports', () => {
  test('are the same before and after the roll-up, whatever the window and the zone', async () => {
    for (const part of [
      { window: 'total' },
      { window: 'hour' },
      { window: 'day' },
      { window: 'month' },
      { window: 'day', timeZone: 'Asia/Kolkata' },
      { window: 'day', timeZone: 'Europe/Berlin' },
    ] as const) {
      await ingest([event(`roll-${JSON.stringify(part)}`, { response_bytes: 7 })]);
      const before = await usage.reports.report(question(part));
      await rollUp();
      expect((await usage.reports.report(question(part))).lines).toEqual(before.lines);
      expect(before.lines.length).toBeGreaterThan(0);
    }
  });
  test('are half-open, and their days begin at midnight of the zone', async () => {
    const own = await freshDatabase();
    const room = createUsage({ database: own.db, clock, settings: { keepDays: 400 } });
    await ingest(
      [event('a', {}, '2026-11-09T18:29:59.999Z'), event('b', {}, '2026-11-09T18:30:00.000Z'), event('c', {}, '2026-11-10T00:00:00Z')],
      room,
    );
    await rollUp(room);
    const days = async (timeZone: string): Promise<unknown> =>
      (await room.reports.report(question({ window: 'day', timeZone }))).lines
        .filter(({ meter }) => meter === 'requests')
        .map(({ windowStart, total: sum }) => [windowStart, sum]);
    expect(await days('UTC')).toEqual([
      ['2026-11-09T00:00:00Z', '2'],
      ['2026-11-10T00:00:00Z', '1'],
    ]);
    expect(await days('Asia/Kolkata')).toEqual([
      ['2026-11-09T00:00:00+05:30', '1'],
      ['2026-11-10T00:00:00+05:30', '2'],
    ]);
    const cut = await room.reports.report(question({ from: new Date('2026-11-09T18:30:00Z'), to: new Date('2026-11-10T00:00:00Z') }));
    expect(total(cut, 'requests')).toBe('1');
    await own.drop();
  });
  test('tell what no binding explains, and its share', async () => {
    const report = await usage.reports.report(question());
    expect(report.unattributed.find(({ meter }) => meter === 'requests')).toMatchObject({ share: '1.0000' });
    expect(report.lines.every(({ attributed }) => !attributed)).toBe(true);
  });
  test('hours are the exact overlap of lives with the question', async () => {
    const own = await freshDatabase();
    const room = createUsage({ database: own.db, clock, settings: { keepDays: 400 } });
    const where = {
      instanceRef: 'mb-a',
      platformId: '00000000-0000-4000-8000-000000000000',
      organization: 'o',
      offeringId: 'f',
      offeringName: 'reviews',
      planId: 'p',
      planName: 'gold',
    };
    await room.spansOn(own.db).openInstance(where);
    await own.db.run(`update usage_span set started_at = '2026-11-03T22:30:00Z', ended_at = '2026-11-05T01:15:00Z'`);
    const lines = (await room.reports.report(question({ window: 'day', groupBy: ['plan', 'meter'] }))).lines;
    expect(lines.map(({ windowStart, total: hours, keys }) => [windowStart.slice(0, 10), hours, keys.plan])).toEqual([
      ['2026-11-03', '1.5', 'reviews/gold'],
      ['2026-11-04', '24', 'reviews/gold'],
      ['2026-11-05', '1.25', 'reviews/gold'],
    ]);
    await own.drop();
  });
});

describe('an import of access logs', () => {
  let directory: string;
  const logs = generateLogs(new Date('2026-11-23T09:00:00.000Z'), 1_500);
  const files = async (kind: 'principal' | 'json' | 'text', names: readonly string[]): Promise<string[]> => {
    const paths = names.map((name) => join(directory, `${kind}-${name}`));
    await Promise.all(names.map((name, n) => writeFile(paths[n] ?? '', logs[kind].get(name) ?? '')));
    return paths;
  };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mb-logs-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function expectCounted(room: Usage, own: FreshDatabase, counted: ReadonlyMap<string, Counted>): Promise<void> {
    await rollUp(room);
    for (const [key, wanted] of counted) {
      const [caller = '', service = ''] = key.split(' ');
      const { rows } = await own.db.run<{ key: string; total: string }>(
        `with used as (select m.name, h.quantity, h.request_bytes, h.response_bytes from usage_hour h join usage_subject s on s.id = h.subject_id
            join usage_meter m on m.id = h.meter_id where s.principal = $1 and s.host = $2)
          select name as key, sum(quantity)::text as total from used group by 1
          union all select 'request-bytes', sum(request_bytes)::text from used union all select 'response-bytes', sum(response_bytes)::text from used`,
        [principalOf(caller), `${service}.bookinfo.svc.cluster.local`],
      );
      const got = new Map(rows.map((row) => [row.key, Number(row.total)]));
      const meters = ['requests', 'denied-requests', 'limited-requests', 'request-bytes', 'response-bytes'];
      expect(
        meters.map((meter) => got.get(meter) ?? 0),
        key,
      ).toEqual([wanted.requests, wanted.denied, wanted.limited, wanted.requestBytes, wanted.responseBytes]);
    }
  }
  test('in our own format gives exactly what the destinations saw; repeated, it counts nothing', async () => {
    const own = await freshDatabase();
    const room = createUsage({ database: own.db, clock, settings: { keepDays: 400 } });
    const post = (batch: readonly CloudEvent[]): Promise<Receipt> => ingest(batch, room);
    const paths = await files('principal', ['reviews.log', 'details.log']);
    const first = await importAccessLogs({ files: paths, principal: null, post });
    expect(first.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(1_500);
    const second = await importAccessLogs({ files: paths, principal: null, post });
    expect(second.every(({ accepted, requests, duplicate }) => accepted === 0 && duplicate === requests)).toBe(true);
    await expectCounted(room, own, logs.inbound);
    await own.drop();
  });
  test.each(['json', 'text'] as const)("in Istio's %s format gives exactly what each named caller sent", async (kind) => {
    const own = await freshDatabase();
    const room = createUsage({ database: own.db, clock, settings: { keepDays: 400 } });
    for (const caller of ['web/web-frontend', 'batch/nightly', 'mobile/mobile-bff']) {
      const paths = await files(kind, [`${caller.split('/')[1] ?? ''}.log`]);
      await importAccessLogs({ files: paths, principal: principalOf(caller), post: (batch) => ingest(batch, room) });
    }
    await expectCounted(room, own, logs.outbound);
    await own.drop();
  });
  test('passes over what another log counts, and says why; what else the gateway sends is unattributed', async () => {
    const own = await freshDatabase();
    const room = createUsage({ database: own.db, clock, settings: { keepDays: 400 } });
    const nightly = principalOf('batch/nightly');
    const lines = (file: string, part: string): number =>
      (logs.principal.get(file) ?? '').split('\n').filter((line) => line.includes(part)).length;
    const relayed = 7;
    const [path = '', other = ''] = await files('principal', ['reviews.log', 'web-frontend.log']);
    const ofBinding = 'mb-6q2hdzr4kzjz3q5n7v2a.osb.example.com:443';
    let left = relayed;
    const changed = (logs.principal.get('reviews.log') ?? '').split('\n').map((line) => {
      if (!line.includes(nightly) || left === 0) return line;
      left -= 1;
      return line.replace('reviews.bookinfo.svc.cluster.local:9080', ofBinding);
    });
    await writeFile(path, changed.join('\n'));
    const [reviews, web] = await importAccessLogs({
      files: [path, other],
      principal: null,
      gateway: { principal: nightly, isOfBinding: gatewayHostTest(meshSettings.gateway) },
      post: (batch) => ingest(batch, room),
    });
    expect(lines('reviews.log', nightly)).toBeGreaterThan(relayed);
    expect([...(reviews?.reasons ?? [])]).toEqual([[expect.stringContaining(`relayed by the gateway ${nightly} for a binding`), relayed]]);
    expect(reviews?.accepted).toBe((reviews?.lines ?? 0) - relayed);
    expect([...(web?.reasons ?? [])]).toEqual([
      [expect.stringContaining("the called service's log"), lines('web-frontend.log', 'outbound')],
    ]);
    expect(web).toMatchObject({ requests: 0, accepted: 0 });
    await rollUp(room);
    const { rows } = await own.db.run('select host, attribution_id from usage_subject where principal = $1', [nightly]);
    expect(rows).toEqual([{ host: 'reviews.bookinfo.svc.cluster.local', attribution_id: 0 }]);
    await own.drop();
  });
  test('is refused with the reason where the caller cannot be known, and then nothing is posted', async () => {
    const post = (): Promise<Receipt> => Promise.reject(new Error('nothing may be posted'));
    const [reviews = ''] = await files('json', ['reviews.log']);
    await expect(importAccessLogs({ files: [reviews], principal: principalOf('web/web-frontend'), post })).rejects.toThrow(/inbound lines/);
    await expect(importAccessLogs({ files: [reviews], principal: null, post })).rejects.toThrow(/--principal/);
    await expect(importAccessLogs({ files: [reviews], principal: 'web', post })).rejects.toThrow(/SPIFFE/);
    const empty = join(directory, 'empty.log');
    await writeFile(empty, 'hello\n');
    await expect(importAccessLogs({ files: [empty], principal: null, post })).rejects.toThrow(/no line of an Envoy access log/);
  });
});

describe('attribution through the whole broker', () => {
  let app: TestApp;
  let client: OsbClient;
  let ids: Ids;
  beforeAll(async () => {
    app = await createTestApp();
    client = osbClient(app.url, app.platform);
    ids = await client.planIds('reviews', 'canary');
  });
  afterAll(() => app.close());
  const send = async (type: string, body: unknown, headers: Record<string, string> = {}): Promise<Record<string, unknown>> => {
    const response = await fetch(`${app.url}/v1/usage/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${app.collectorToken}`, 'content-type': type, ...headers },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Record<string, unknown>;
  };
  const report = async (query: string): Promise<{ lines: readonly Record<string, string>[] }> =>
    (await client.get(`/v1/usage/report?${query}`)).body as { lines: readonly Record<string, string>[] };

  test('the verdict names the binding, else principal and host at that time do; single, binary and batch events count alike', async () => {
    await client.provision('metered', { ...ids, organization_guid: 'acme' });
    const bound = await client.bind('metered', 'm-1', {
      ...ids,
      parameters: { consumer: { kind: 'sidecar', namespace: 'web', service_account: 'web-frontend' } },
    });
    const { mesh, 'spiffe-id': principal } = bound.body['credentials'] as { mesh: { binding_ref: string }; 'spiffe-id': string };
    const host = 'reviews.bookinfo.svc.cluster.local:9080';
    const time = new Date(Date.now() + 10).toISOString();
    const data = { principal, host, code: 200, request_bytes: 5, response_bytes: 50 };
    const one = { ...event('one', {}, time), data };
    expect(await send('application/cloudevents+json', one)).toMatchObject({ accepted: 1 });
    const binary = { 'ce-specversion': '1.0', 'ce-id': 'two', 'ce-source': 'a', 'ce-type': one.type, 'ce-time': time };
    expect(
      await send(
        'application/json',
        { ...data, principal: 'spiffe://mesh.example.com/ns/other/sa/x', policy: `${mesh.binding_ref}.0a1b2c3d` },
        binary,
      ),
    ).toMatchObject({ accepted: 1 });
    const batch = [
      { ...one, id: 'three', data: { ...data, policy: `ns[bookinfo]-policy[${mesh.binding_ref}]-rule[0]` } },
      { ...one, id: 'four', data: { ...data, code: 429 } },
      { ...one, id: 'five', data: { ...data, principal: 'spiffe://mesh.example.com/ns/other/sa/x' } },
      { ...one, id: 'six', time: '2026-11-01T00:00:00Z' },
      one,
    ];
    expect(await send('application/cloudevents-batch+json', batch)).toMatchObject({ accepted: 4, duplicate: 1 });
    const mine = (await report('group_by=consumer,plan,organization&window=month')).lines.filter(({ meter }) =>
      meter?.includes('requests'),
    );
    expect(mine.map(({ consumer, plan, organization, meter, total: sum }) => [consumer, plan, organization, meter, sum])).toEqual([
      ['web/web-frontend', 'reviews/canary', 'acme', 'limited-requests', '1'],
      ['web/web-frontend', 'reviews/canary', 'acme', 'requests', '3'],
    ]);
    const lines = (await client.get(`/v1/bindings/${mesh.binding_ref}/usage`)).body['lines'] as Record<string, string>[];
    expect(lines.find(({ meter }) => meter === 'requests')?.['total']).toBe('3');
    const other = osbClient(app.url, app.secondPlatform);
    expect((await other.get('/v1/usage/report')).body['lines']).toEqual([]);
    await client.unbind('metered', 'm-1', ids);
    await app.database.run(
      `update attribution set valid_to = valid_to - interval '2 minutes', valid_from = valid_from - interval '3 minutes' where binding_ref = $1`,
      [mesh.binding_ref],
    );
    expect(
      await send('application/cloudevents+json', { ...one, id: 'late', time: new Date(Date.now() - 1_000).toISOString() }),
    ).toMatchObject({ accepted: 1 });
    expect((await report('window=month')).lines.find(({ meter }) => meter === 'requests')?.['total']).toBe('3');
  });
});
