import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bookinfo } from '../support/app.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { pause, startBroker, type BrokerProcess } from './broker-process.ts';

const adminToken = 'usage-crash-admin-token-0123456789-abcdefghij';
const batchSize = 1_000;
const batches = 125;
const repeated = 200;
const unique = batches * (batchSize - repeated);
let fresh: FreshDatabase;
let directory: string;
let broker: BrokerProcess;
beforeAll(async () => {
  fresh = await freshDatabase();
  directory = await mkdtemp(join(tmpdir(), 'mb-usage-crash-'));
  await writeFile(join(directory, 'secret'), randomBytes(32), { mode: 0o600 });
});
afterAll(async () => {
  broker.kill('SIGKILL');
  await broker.gone;
  await fresh.drop();
  await rm(directory, { recursive: true, force: true });
});
const start = (crashAt?: string): Promise<BrokerProcess> =>
  startBroker({
    DATABASE_URL: fresh.url,
    MESHBROKER_LISTEN: '127.0.0.1:0',
    MESHBROKER_DATA_DIR: join(directory, 'data'),
    MESHBROKER_SECRET_FILE: join(directory, 'secret'),
    MESHBROKER_CATALOG: bookinfo,
    MESHBROKER_MESH: 'memory',
    MESHBROKER_ADMIN_TOKEN: adminToken,
    ...(crashAt === undefined ? {} : { MESHBROKER_CRASH_AT: crashAt }),
  });

test('100,000 events with 20 % repeats, the process killed at M1, M2 and M3 in between: totals are equal to the unit', async () => {
  const time = new Date(Date.now() - 60_000).toISOString();
  const event = (n: number): unknown => ({
    specversion: '1.0',
    id: `e-${n}`,
    source: 'crash',
    type: 'dev.meshbroker.request.v1',
    time,
    data: { principal: `spiffe://mesh.example.com/ns/c/sa/c-${n % 7}`, host: 'h', code: 200, request_bytes: n % 5, response_bytes: n },
  });
  const crashes = ['M1:7', 'M2:9', 'M3:2', 'M2:20', 'M1:30', 'M3:5', undefined];
  broker = await start(crashes[0]);
  let deaths = 0;
  let accepted = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const first = batch * (batchSize - repeated);
    const own = Array.from({ length: batchSize - repeated }, (_, n) => event(first + n));
    const again = Array.from({ length: repeated }, (_, n) => event(batch === 0 ? n : first - 1 - n));
    for (;;) {
      const response = await fetch(`${broker.url}/v1/usage/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify([...own, ...again]),
      }).catch(() => undefined);
      if (response?.status === 200) {
        accepted += ((await response.json()) as { accepted: number }).accepted;
        break;
      }
      const ended = await Promise.race([broker.gone, pause(10_000)]);
      expect(
        ended,
        response === undefined ? 'no answer' : `${response.status} ${await response.text()}\n${broker.output().slice(-3_000)}`,
      ).toBe('SIGKILL');
      deaths += 1;
      broker = await start(crashes[deaths]);
    }
  }
  expect(deaths).toBeGreaterThanOrEqual(4);
  expect(accepted).toBeLessThanOrEqual(unique);
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    if ((await fresh.db.run('select 1 from usage_batch where not rolled')).count === 0) break;
    if ((await Promise.race([broker.gone, pause(50)])) !== undefined) broker = await start(); // it died while it rolled up
  }
  const { rows: truth } = await fresh.db.run('select count(*)::int as events, sum(response_bytes)::text as bytes from usage_event');
  expect(truth).toEqual([{ events: unique, bytes: String((unique * (unique - 1)) / 2) }]);
  const { rows: sums } = await fresh.db.run('select sum(quantity)::text as requests, sum(response_bytes)::text as bytes from usage_day');
  expect(sums).toEqual([{ requests: String(unique), bytes: String((unique * (unique - 1)) / 2) }]);
}, 120_000);
