import { tellCleaned, type BackgroundTask, type CleanUpObserver } from '../kernel/background.ts';
import type { Clock } from '../kernel/clock.ts';
import { point } from '../kernel/points.ts';
import type { SqlDatabase } from '../kernel/sql.ts';
import { dayMs, leafDay } from './event-time.ts';

const leavesAhead = 2;
const rowsAtOnce = 5_000;

/** Makes the leaves of today and the next days, so that no ingestion has to at midnight. */
export const leavesTask = (database: SqlDatabase, clock: Clock): BackgroundTask => ({
  name: 'usage-leaves',
  everyMs: 600_000,
  async activate() {
    const today = clock.now().getTime();
    for (let day = 0; day <= leavesAhead; day += 1)
      await database.run('select usage_leaf($1::date)', [new Date(today + day * dayMs).toISOString().slice(0, 10)]);
    return false;
  },
});

const oldest = {
  name: 'usage_leaf_oldest',
  text: `select c.relname as leaf from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'usage_event'::regclass and c.relname ~ '^usage_event_[0-9]{8}$' and c.relname < $1 order by 1 limit 1`,
};
const stale = (table: 'usage_batch' | 'usage_quarantine', where: string) => ({
  name: `${table}_stale`,
  text: `delete from ${table} where id in (select id from ${table} where received_at < $1 ${where} order by received_at limit $2)`,
});
const staleBatches = stale('usage_batch', 'and rolled');
const staleQuarantine = stale('usage_quarantine', '');

/** The ledger first, as readers lock it: the other way round they would wait for each other. */
const dropLeaf = (database: SqlDatabase, leaf: string): Promise<void> =>
  database.transaction(async (tx) => {
    await tx.run('lock table usage_event in access exclusive mode');
    await tx.run(`drop table ${leaf}`);
    await point('M4');
  });

/**
 * Drops single events, rejected ones and batches older than `keepDays`; sums stay. A leaf has been rolled up long before: events are
 * accepted for fewer days than they are kept.
 */
export const retentionTask = (database: SqlDatabase, clock: Clock, keepDays: number, observer?: CleanUpObserver): BackgroundTask => ({
  name: 'usage-retention',
  everyMs: 600_000,
  async activate() {
    const until = new Date(clock.now().getTime() - keepDays * dayMs);
    const { rows } = await database.run<{ leaf: string }>(oldest, [`usage_event_${leafDay(until.getTime())}`]);
    const [leaf] = rows;
    if (leaf !== undefined) await dropLeaf(database, leaf.leaf);
    const batches = (await database.run(staleBatches, [until, rowsAtOnce])).count;
    const rejected = (await database.run(staleQuarantine, [until, rowsAtOnce])).count;
    tellCleaned(observer, { 'usage-partitions': rows.length, 'usage-batches': batches, 'usage-quarantine': rejected });
    return leaf !== undefined || batches === rowsAtOnce || rejected === rowsAtOnce;
  },
});
