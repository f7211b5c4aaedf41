import { afterAll, beforeAll, expect, test } from 'vitest';
import { pgAuditLog } from '../../src/audit/audit-log.pg.ts';
import { pgAuditTrail } from '../../src/audit/audit-trail.pg.ts';
import type { AuditQuestion } from '../../src/audit/audit-trail.ts';
import { freshDatabase } from '../support/database.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => void (database = await freshDatabase()));
afterAll(() => database.drop());
const entry = {
  actor: 'platform:cf',
  originatingIdentity: { platform: 'cloudfoundry', value: { user_id: 'x' } },
  requestId: 'r-1',
  action: 'binding.bind',
  resource: 'mb-1',
  outcome: 'accepted',
  detail: { plan: 'canary' },
} as const;

test('an audit row says who did what with what outcome', async () => {
  await pgAuditLog(database.db).append(entry);
  const { rows } = await database.db.run(
    'select actor, originating_identity, request_id, action, resource, outcome, detail from audit_event',
  );
  expect(rows).toEqual([
    {
      actor: 'platform:cf',
      originating_identity: entry.originatingIdentity,
      request_id: 'r-1',
      action: 'binding.bind',
      resource: 'mb-1',
      outcome: 'accepted',
      detail: { plan: 'canary' },
    },
  ]);
});
test('an audit row of a change that is rolled back is gone with it', async () => {
  const failed = database.db.transaction(async (tx) => {
    await pgAuditLog(tx).append({ ...entry, action: 'binding.unbind' });
    throw new Error('no');
  });
  await expect(failed).rejects.toThrow('no');
  expect((await database.db.run(`select 1 from audit_event where action = 'binding.unbind'`)).count).toBe(0);
});
test('audit rows cannot be changed or deleted', async () => {
  await expect(database.db.run(`update audit_event set actor = 'x'`)).rejects.toThrow('append-only');
  await expect(database.db.run('delete from audit_event')).rejects.toThrow('append-only');
});

test('the audit log is read by time, action, outcome, actor and resource, from either end, page after page', async () => {
  const { db, drop } = await freshDatabase();
  const log = pgAuditLog(db);
  await log.append({ ...entry, resource: 'mb-one', detail: { binding_id: 'b-1' } });
  await log.append({ ...entry, actor: 'broker', originatingIdentity: null, resource: 'mb-one', outcome: 'succeeded', detail: {} });
  await log.append({ ...entry, actor: 'platform:k8s', resource: 'mb-two', detail: { binding_id: 'b-2' } });
  await log.append({ ...entry, action: 'request.denied', resource: null, outcome: 'denied', detail: { status: 401 } });
  await log.append({ ...entry, action: 'platform.create', resource: 'platform/cf', outcome: 'succeeded', detail: {} });
  const all = { since: null, until: null, action: null, outcome: null, actor: null, resource: null, order: 'newest', after: null, limit: 50 } as const; // prettier-ignore
  const ask = (changes: Partial<AuditQuestion>) => pgAuditTrail(db).lines({ ...all, ...changes });
  const ids = async (changes: Partial<AuditQuestion>): Promise<string[]> => (await ask(changes)).map(({ id }) => id);

  expect(await ids({})).toEqual(['5', '4', '3', '2', '1']);
  expect(await ids({ order: 'oldest' })).toEqual(['1', '2', '3', '4', '5']);
  expect(await ids({ limit: 2, after: '4' })).toEqual(['3', '2']);
  expect(await ids({ limit: 2, after: '4', order: 'oldest' })).toEqual(['5']);
  expect(await ids({ action: 'platform.create' })).toEqual(['5']);
  expect(await ids({ outcome: 'denied' })).toEqual(['4']);
  expect(await ids({ actor: 'platform:cf' })).toEqual(['5', '4', '1']);
  expect(await ids({ resource: 'mb-one' })).toEqual(['2', '1']);
  expect(await ids({ resource: 'platform/cf' })).toEqual(['5']);
  expect(await ids({ resource: 'mb-one', outcome: 'succeeded' })).toEqual(['2']);
  expect((await ask({})).map(({ resource }) => resource)).toEqual(['platform/cf', null, 'mb-two', 'mb-one', 'mb-one']);
  const third = (await ask({ after: '4', limit: 1 }))[0];
  expect(third).toMatchObject({ ...entry, actor: 'platform:k8s', resource: 'mb-two', detail: { binding_id: 'b-2' } });
  // The database counts microseconds, a Date milliseconds.
  const soon = new Date((third?.at.getTime() ?? 0) + 60_000);
  expect(await ids({ since: soon })).toEqual([]);
  expect(await ids({ until: soon })).toHaveLength(5);
  await drop();
});
test('the audit log of one resource is read through an index, however long the log is', async () => {
  const { db, drop } = await freshDatabase();
  await db.run(`insert into audit_event (actor, action, resource, outcome)
    select 'platform:cf', 'binding.bind', 'mb-' || n, 'accepted' from generate_series(1, 50000) as n`);
  await db.run('analyze audit_event');
  const plan = await db.run<{ 'QUERY PLAN': string }>(
    `explain select id from audit_event where resource = 'mb-77' order by id desc limit 50`,
  );
  const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).toContain('audit_event_by_resource');
  expect(text).not.toContain('Seq Scan');
  await drop();
});
