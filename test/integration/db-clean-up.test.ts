import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cleanUpTasks } from '../../src/background/clean-up.pg.ts';
import type { Database } from '../../src/db/database.ts';
import { pgMetricsSources } from '../../src/observe/unfinished-operations.pg.ts';
import { freshDatabase } from '../support/database.ts';

const platform = randomUUID();
let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await freshDatabase());
  await db.run(`insert into platform (id, name) values ($1, 'cf')`, [platform]);
  await db.run(`insert into plan_snapshot values ('hash', '{}')`);
});
afterAll(() => drop());
beforeEach(() => db.run('truncate operation, service_binding, service_instance, certificate_holder cascade'));

async function instance(ref: string, goneHours: number | null): Promise<string> {
  const id = randomUUID();
  await db.run(
    `insert into service_instance (id, platform_id, instance_id, ref, state, service_offering_id, offering_name, plan_id, plan_ids, snapshot_hash,
        organization_guid, space_guid, request_hash, gone_at)
     values ($1, $2, $3::text, $3::text, $4, 'o', 'o', 'p', '{}', 'hash', '', '', '', clock_timestamp() - make_interval(secs => $5::float8 * 3600))`,
    [id, platform, ref, goneHours === null ? 'ready' : 'gone', goneHours],
  );
  return id;
}
async function binding(instanceId: string, ref: string, goneHours: number | null, predecessor: string | null = null): Promise<string> {
  const id = randomUUID();
  await db.run(
    `insert into service_binding (id, platform_id, instance_uuid, binding_id, ref, lineage_id, predecessor_id, state, plan_id, request_hash, consumer,
        consumer_name, principal, credential_kind, gone_at)
     values ($1, $2, $3, $4::text, $4::text, $1, $5, $6, 'p', '', '{}', 'c', 'p', 'mesh-identity', clock_timestamp() - make_interval(secs => $7::float8 * 3600))`,
    [id, platform, instanceId, ref, predecessor, goneHours === null ? 'ready' : 'gone', goneHours],
  );
  return id;
}
async function operation(resource: string, finishedDays: number | null): Promise<void> {
  await db.run(
    `insert into operation (id, resource_kind, resource_id, kind, state, created_at, finished_at, deadline_at)
     select gen_random_uuid(), 'instance', $1, 'provision', case when $2::int is null then 'pending' else 'succeeded' end,
            coalesce(at, clock_timestamp()), at, clock_timestamp() from (select clock_timestamp() - make_interval(days => $2::int) as at) finished`,
    [resource, finishedDays],
  );
}
const refs = async (table: string): Promise<string[]> =>
  (await db.run<{ ref: string }>(`select ref from ${table} order by ref`)).rows.map(({ ref }) => ref);
async function cleanUp(tombstoneHours = 72): Promise<Record<string, number>> {
  const cleaned: Record<string, number> = {};
  const observer = { cleaned: (what: string, rows: number) => void (cleaned[what] = (cleaned[what] ?? 0) + rows) };
  for (const task of cleanUpTasks(db, { tombstoneHours, operationDays: 90 }, observer))
    while (await task.activate(AbortSignal.timeout(5_000)));
  return cleaned;
}

describe('clean-up', () => {
  test('keeps tombstones for 72 h, whatever the setting says, and what lives for ever', async () => {
    const live = await instance('live', null);
    await binding(live, 'bound', null);
    await binding(live, 'just gone', 71);
    await binding(live, 'long gone', 73);
    await binding(await instance('gone with its binding', 100), 'gone too', 100);
    await instance('recently gone', 71);
    expect(await cleanUp(1)).toEqual({ bindings: 2, instances: 1 });
    expect([await refs('service_binding'), await refs('service_instance')]).toEqual([
      ['bound', 'just gone'],
      ['live', 'recently gone'],
    ]);
  });
  test('keeps a binding while a certificate in its name may be valid, and a predecessor while its successor is there', async () => {
    const live = await instance('live', null);
    await binding(live, 'had a certificate', 100);
    await db.run(`insert into certificate_holder values ('had a certificate', clock_timestamp())`);
    const first = await binding(live, 'rotated', 100);
    await binding(live, 'successor', null, first);
    expect(await cleanUp()).toEqual({});
    await db.run('truncate certificate_holder cascade');
    expect(await cleanUp()).toEqual({ bindings: 1 });
    expect(await refs('service_binding')).toEqual(['rotated', 'successor']);
  });
  test('deletes old operations, but never the last one of what exists, nor an unfinished one', async () => {
    const live = await instance('live', null);
    await operation(live, 200);
    await operation(live, 100);
    await operation('of what is no more', 100);
    await operation('of what is no more', 80);
    await operation('still runs', null);
    expect(await cleanUp()).toEqual({ operations: 2 });
    const left = await db.run<{ id: string }>('select resource_id as id from operation order by id');
    expect(left.rows.map(({ id }) => id).sort()).toEqual(['of what is no more', 'still runs', live].sort());
  });
  test('goes on until everything is gone, in batches', async () => {
    const live = await instance('live', null);
    await db.run(
      `insert into service_binding (id, platform_id, instance_uuid, binding_id, ref, lineage_id, state, plan_id, request_hash, consumer, consumer_name, principal, credential_kind, gone_at)
       select gen_random_uuid(), $1, $2, 'b' || n, 'b' || n, gen_random_uuid(), 'gone', 'p', '', '{}', 'c', 'p', 'mesh-identity', clock_timestamp() - interval '4 days'
         from generate_series(1, 1200) n`,
      [platform, live],
    );
    expect(await cleanUp()).toEqual({ bindings: 1_200 });
  });
});

test('unfinished operations are counted by kind and state, with the age of the oldest', async () => {
  await operation('waits', null);
  await db.run(`update operation set created_at = clock_timestamp() - interval '90 seconds'`);
  const [line] = await pgMetricsSources(db).unfinishedOperations();
  expect(line).toMatchObject({ kind: 'provision', state: 'pending', count: 1 });
  expect(line?.oldestSeconds).toBeGreaterThan(89);
});
