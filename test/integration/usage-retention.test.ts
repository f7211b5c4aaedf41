import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { freshDatabase } from '../support/database.ts';
import { fixedClock, requestEvent, rollUp, totals, usageOn } from '../support/usage.ts';

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await freshDatabase());
});
afterAll(() => drop());
const leaves = async (): Promise<string[]> =>
  (
    await db.run<{ leaf: string }>(
      "select inhrelid::regclass::text as leaf from pg_inherits where inhparent = 'usage_event'::regclass order by 1",
    )
  ).rows.map(({ leaf }) => leaf);
const run = async (usage: ReturnType<typeof usageOn>, name: string): Promise<void> => {
  const task = usage.tasks.find((each) => each.name === name);
  expect(task).toBeDefined();
  while ((await task?.activate(AbortSignal.timeout(10_000))) === true);
};

test('leaves of today and the next two days are there before an event needs them', async () => {
  await run(usageOn(db), 'usage-leaves');
  expect(await leaves()).toEqual(['usage_event_20261124', 'usage_event_20261125', 'usage_event_20261126']);
});

test('single events, batches and rejected events are dropped by setting; sums stay', async () => {
  const usage = usageOn(db);
  await usage.ingestion.ingest(
    'c',
    ['2026-10-25T12:00:00Z', '2026-11-05T12:00:00Z', 'never'].map((time, n) => requestEvent(n, { time })),
  );
  await rollUp(usage);
  const asked = { from: new Date('2026-10-01T00:00:00Z'), window: 'day' } as const;
  const before = await totals(usage, asked);
  expect(before).toHaveLength(6);
  await run(usageOn(db, fixedClock(new Date('2026-12-11T12:00:00Z')), 36), 'usage-retention');
  expect(await leaves()).toEqual(['usage_event_20261105', 'usage_event_20261124', 'usage_event_20261125', 'usage_event_20261126']);
  expect(await totals(usage, asked)).toEqual(before);
  await run(usageOn(db, fixedClock(new Date('2028-01-01T00:00:00Z')), 36), 'usage-retention');
  expect(await leaves()).toEqual([]);
  expect([(await db.run('select 1 from usage_batch')).count, (await db.run('select 1 from usage_quarantine')).count]).toEqual([0, 0]);
  expect(await totals(usage, asked)).toEqual(before);
});

test('an event is never accepted for longer than its id is remembered', async () => {
  const usage = usageOn(db, fixedClock(), 10);
  const receipt = await usage.ingestion.ingest('c', [
    requestEvent(0, { time: '2026-11-14T12:00:00Z' }),
    requestEvent(1, { time: '2026-11-15T12:00:01Z' }),
  ]);
  expect([receipt.accepted, receipt.rejected]).toEqual([1, 1]);
});
