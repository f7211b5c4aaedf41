import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PointName } from '../../src/kernel/points.ts';
import { pause, StartFailed, type BrokerProcess } from './broker-process.ts';
import { killLab, type KillLab } from './kill-lab.ts';

const adminToken = 'expiry-admin-token-0123456789-abcdefghijklmn';
let lab: KillLab;
beforeEach(async () => {
  lab = await killLab({ MESHBROKER_ADMIN_TOKEN: adminToken });
});
afterEach(() => lab.close());

/** Clean-up runs as soon as a process starts, so it may be dead before it was ready. */
async function killedAtStart(point: PointName): Promise<void> {
  const ended = await lab.start(`${point}:1`).then(
    ({ gone }) => Promise.race([gone, pause(10_000)]),
    (error: unknown) => {
      if (error instanceof StartFailed) return error.ended;
      throw error;
    },
  );
  expect(ended, `no task passes ${point}`).toBe('SIGKILL');
}
async function stopped(broker: BrokerProcess): Promise<void> {
  broker.kill('SIGTERM');
  expect(await broker.gone).toBe(0);
}
const count = async (query: string): Promise<number> =>
  (await lab.fresh.db.run<{ n: number }>(`select count(*)::int as n from ${query}`)).rows[0]?.n ?? -1;
async function until(done: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !(await done());) {
    if (performance.now() > end) throw new Error('it does not get there');
    await pause(50);
  }
}

describe('a process killed while it forgets what is old', () => {
  test('at D5 keeps the tombstones: a create from before the deletion is refused, and the next process forgets them once', async () => {
    const calm = await lab.start();
    const client = lab.client(calm);
    const ids = await client.planIds('reviews', 'metered');
    const order = { ...ids, parameters: { consumer: { kind: 'sidecar', namespace: 'web' } } };
    expect(await client.provision('kept', ids)).toMatchObject({ state: 'succeeded' });
    expect(await client.bind('kept', 'ended', order)).toMatchObject({ state: 'succeeded' });
    expect(await client.unbind('kept', 'ended', ids)).toMatchObject({ state: 'succeeded' });
    await stopped(calm);
    // Long ago; its time as a holder of certificates is over as well.
    await lab.fresh.db.run(`update service_binding set gone_at = clock_timestamp() - interval '100 hours' where binding_id = 'ended'`);
    await lab.fresh.db.run('delete from certificate_holder where retired_at is not null');

    await killedAtStart('D5');
    expect(await count(`service_binding where binding_id = 'ended' and state = 'gone'`)).toBe(1);
    // What a create writes that was judged when the id was still free.
    const late = await lab.fresh.db.run(
      `insert into service_binding (id, platform_id, instance_uuid, binding_id, ref, life, lineage_id, state, plan_id, request_hash, consumer,
          consumer_name, principal, credential_kind)
        select gen_random_uuid(), platform_id, instance_uuid, binding_id, ref, life, lineage_id, 'binding', plan_id, request_hash, consumer,
          consumer_name, principal, credential_kind from service_binding where binding_id = 'ended' on conflict do nothing`,
    );
    expect(late.count).toBe(0);

    const next = await lab.start();
    await until(async () => (await count(`service_binding where binding_id = 'ended'`)) === 0);
    const again = lab.client(next);
    expect(await again.unbind('kept', 'ended', ids)).toMatchObject({ status: 410 });
    expect(await again.bind('kept', 'ended', order)).toMatchObject({ state: 'succeeded' });
    await lab.expectConverged();
    await stopped(next);
  });

  test('at M4 keeps the day: the next process drops it once, its sums stay equal, and an event that comes later is refused', async () => {
    await stopped(await lab.start());
    const { db } = lab.fresh;
    const { rows } = await db.run<{ day: string; leaf: string }>(
      `select day::text, usage_leaf(day) as leaf from (select (now() at time zone 'UTC')::date - 900 as day) old`,
    );
    const { day, leaf } = rows[0] ?? { day: '', leaf: '' };
    const noon = `${day}T12:00:00Z`;
    await db.run(
      `insert into ${leaf} (event_time, quantity, request_bytes, response_bytes, batch_id, dedup, source_id, subject_id, content, meter_id)
        select $1, 1, n, 2 * n, 1, gen_random_uuid(), 1, 1, 0, 1 from generate_series(1, 100) as n`,
      [noon],
    );
    for (const [table, unit] of [
      ['usage_hour', 'hour'],
      ['usage_day', 'day'],
    ]) {
      await db.run(
        `insert into ${table} (${unit}, subject_id, meter_id, quantity, request_bytes, response_bytes)
          select date_trunc('${unit}', event_time, 'UTC'), subject_id, meter_id, sum(quantity), sum(request_bytes), sum(response_bytes)
            from ${leaf} group by 1, 2, 3`,
      );
    }
    const sums = async (): Promise<unknown> =>
      (
        await db.run(
          'select quantity, request_bytes, response_bytes from usage_hour union all select quantity, request_bytes, response_bytes from usage_day',
        )
      ).rows;
    const before = await sums();

    await killedAtStart('M4');
    expect(await count(leaf)).toBe(100);
    expect(await sums()).toEqual(before);

    const next = await lab.start();
    await until(async () => (await count(`pg_class where relname = '${leaf}'`)) === 0);
    const response = await fetch(`${next.url}/v1/usage/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id: 'late',
        source: 'expiry',
        type: 'dev.meshbroker.request.v1',
        time: noon,
        data: { principal: 'spiffe://mesh.example.com/ns/web/sa/web', host: 'h', code: 200, request_bytes: 1, response_bytes: 1 },
      }),
    });
    expect(await response.json()).toMatchObject({ accepted: 0, rejected: 1 });
    expect(await sums()).toEqual(before);
    expect(await count(`pg_class where relname = '${leaf}'`)).toBe(0);
    await stopped(next);
  });
});
