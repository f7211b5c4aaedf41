import { afterAll, beforeAll, expect, test } from 'vitest';
import { pgAuditLog } from '../../src/audit/audit-log.pg.ts';
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
