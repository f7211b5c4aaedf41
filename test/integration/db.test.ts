import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openAdvisoryLocks } from '../../src/db/advisory-lock.ts';
import { connectionConfig, openPool } from '../../src/db/connection.ts';
import type { Database } from '../../src/db/database.ts';
import { openDatabase } from '../../src/db/database.ts';
import { isConnectionLoss } from '../../src/db/failures.ts';
import { listen } from '../../src/db/listen.ts';
import { migrateDatabase, pendingMigrations } from '../../src/db/migrate.ts';
import { BrokerError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { DatabaseProxy } from '../support/database-proxy.ts';
import { databaseProxy } from '../support/database-proxy.ts';
import { freshDatabase } from '../support/database.ts';
import { onServer } from '../support/template.ts';

let db: Database;
let url: string;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, url, drop } = await freshDatabase());
  await db.run('create table account (name text primary key, amount bigint not null)');
});
afterAll(() => drop());

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never came');
};
const refusal = async (work: Promise<unknown>): Promise<BrokerError> => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BrokerError);
  return error as BrokerError;
};
const names = async (): Promise<string[]> =>
  (await db.run<{ name: string }>('select name from account order by name')).rows.map(({ name }) => name);
const empty = (): Promise<unknown> => db.run('truncate account');

describe('values of the database', () => {
  test('come as numbers, exact decimals, moments, JSON and bytes', async () => {
    const { rows, count } = await db.run(
      `select 9007199254740991::bigint as big, array[1, 2]::bigint[] as bigs, 1.10::numeric as price, '2026-11-23T10:20:30.123Z'::timestamptz as at, '{"a":[1]}'::jsonb as json, '\\x00ff'::bytea as bytes, null::bigint as none`,
    );
    expect(count).toBe(1);
    expect(rows[0]).toEqual({
      big: Number.MAX_SAFE_INTEGER, bigs: [1, 2], price: '1.10', at: new Date('2026-11-23T10:20:30.123Z'), json: { a: [1] }, bytes: Buffer.from([0, 255]), none: null,
    }); // prettier-ignore
  });
  test('too large for a number are refused instead of rounded', async () => {
    await expect(db.run('select 9007199254740993::bigint as big')).rejects.toThrow('too large for a number');
  });
  test('named statements are prepared once for each connection, also when used by many at once', async () => {
    const statement = { name: 'test_double', text: 'select $1::int * 2 as twice' };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => db.run<{ twice: number }>(statement, [i])));
    expect(answers.map(({ rows }) => rows[0]?.twice)).toEqual(Array.from({ length: 50 }, (_, i) => i * 2));
    const { rows } = await db.run<{ count: number }>(`select count(*) as count from pg_prepared_statements where name = 'test_double'`);
    expect(rows[0]?.count).toBe(1);
  });
});

describe('a transaction', () => {
  beforeAll(empty);
  test('keeps everything or nothing', async () => {
    await db.transaction(async (tx) => {
      await tx.run(`insert into account values ('kept', 1)`);
      await tx.run(`insert into account values ('kept too', 1)`);
    });
    const failing = db.transaction(async (tx) => {
      await tx.run(`insert into account values ('lost', 1)`);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await names()).toEqual(['kept', 'kept too']);
  });
  test('that hides the failure of a statement is told instead of silently rolled back', async () => {
    const hiding = db.transaction(async (tx) => {
      await tx.run(`insert into account values ('hidden', 1)`);
      await tx.run('select 1 / 0').catch(() => undefined);
    });
    await expect(hiding).rejects.toThrow('rolled back');
    expect(await names()).not.toContain('hidden');
  });
  test('takes no statements after its end', async () => {
    const late = await db.transaction((tx) => Promise.resolve(tx));
    expect(() => late.run('select 1')).toThrow('has ended');
  });
  test('is tried again after a deadlock, and both sides get through', async () => {
    await db.run(`insert into account values ('a', 0), ('b', 0)`);
    let runs = 0;
    let inside = 0;
    let both = (): void => undefined;
    const met = new Promise<void>((resolve) => (both = resolve));
    const move = (first: string, second: string): Promise<void> =>
      db.transaction(async (tx) => {
        runs += 1;
        await tx.run('update account set amount = amount + 1 where name = $1', [first]);
        if ((inside += 1) === 2) both();
        await met;
        await tx.run('update account set amount = amount + 1 where name = $1', [second]);
      });
    await Promise.all([move('a', 'b'), move('b', 'a')]);
    expect(runs).toBeGreaterThan(2);
    expect((await db.run<{ amount: number }>(`select amount from account where name in ('a', 'b')`)).rows).toEqual([
      { amount: 2 },
      { amount: 2 },
    ]);
  });
  test('is tried again after a serialization failure', async () => {
    let runs = 0;
    await db.transaction(async (tx) => {
      runs += 1;
      await tx.run('set transaction isolation level repeatable read');
      await tx.run('select * from account');
      if (runs === 1) await db.run(`update account set amount = 10 where name = 'a'`);
      await tx.run(`update account set amount = amount + 1 where name = 'a'`);
    });
    expect(runs).toBe(2);
    expect((await db.run(`select amount from account where name = 'a'`)).rows).toEqual([{ amount: 11 }]);
  });
  test('that can never be serialized ends as unavailable after five tries', async () => {
    let runs = 0;
    const error = await refusal(
      db.transaction(async (tx) => {
        runs += 1;
        await tx.run(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
      }),
    );
    expect([error.code, error.context.retryAfterSeconds, runs]).toEqual(['unavailable', 2, 5]);
  });
});

describe('limits of a session', () => {
  test('are those that keep requests from piling up', async () => {
    const { rows } = await db.run(
      `select current_setting('statement_timeout') as s, current_setting('lock_timeout') as l, current_setting('idle_in_transaction_session_timeout') as i`,
    );
    expect(rows[0]).toEqual({ s: '5s', l: '2s', i: '10s' });
  });
  test('a row that somebody else holds is waited for 2 s, then the answer is unavailable', async () => {
    await db.run(`insert into account values ('held', 0) on conflict do nothing`);
    await db.transaction(async (tx) => {
      await tx.run(`update account set amount = 1 where name = 'held'`);
      const startedAt = performance.now();
      const error = await refusal(db.run(`update account set amount = 2 where name = 'held'`));
      expect(error.code).toBe('unavailable');
      expect(isConnectionLoss(error)).toBe(false);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
    });
  });
  test('options of the URL win', async () => {
    const other = openDatabase({ url: `${url}?options=-c%20statement_timeout%3D1234` });
    closing.push(() => other.close());
    expect((await other.run(`select current_setting('statement_timeout') as s`)).rows).toEqual([{ s: '1234ms' }]);
  });
});

async function proxy(): Promise<DatabaseProxy> {
  const made = await databaseProxy(url);
  closing.push(made.close);
  return made;
}

describe('a database that goes away', () => {
  test('in the middle of a statement is unavailable with an unknown outcome, and comes back by itself', async () => {
    const { url: through, cut } = await proxy();
    const shaky = openDatabase({ url: through });
    closing.push(() => shaky.close());
    const running = refusal(shaky.run('select pg_sleep(4)'));
    await until(
      async () => (await db.run(`select 1 from pg_stat_activity where query like '%pg_sleep(4)%' and pid <> pg_backend_pid()`)).count > 0,
    );
    cut();
    const error = await running;
    expect([error.code, isConnectionLoss(error)]).toEqual(['unavailable', true]);
    expect((await shaky.run('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
  test('between statements costs one request at most', async () => {
    const { url: through, cut } = await proxy();
    const shaky = openDatabase({ url: through });
    closing.push(() => shaky.close());
    await shaky.run('select 1');
    cut();
    await Promise.allSettled([shaky.run('select 1')]);
    expect((await shaky.run('select 2 as two')).rows).toEqual([{ two: 2 }]);
  });
  test('without a word is given up shortly after the limit of a statement', { timeout: 20_000 }, async () => {
    const { url: through, swallow } = await proxy();
    const shaky = openDatabase({ url: through, poolSize: 1 });
    closing.push(() => shaky.close());
    await shaky.run('select 1');
    swallow(true);
    const startedAt = performance.now();
    const error = await refusal(shaky.run('select 2'));
    expect([error.code, isConnectionLoss(error)]).toEqual(['unavailable', true]);
    expect(performance.now() - startedAt).toBeLessThan(9_000);
    swallow(false);
    expect((await shaky.run('select 3 as three')).rows).toEqual([{ three: 3 }]);
  });
  test('and was never reached is unavailable, and nothing is in doubt', async () => {
    const nowhere = openDatabase({ url: 'postgres://u@127.0.0.1:1/d' });
    closing.push(() => nowhere.close());
    const error = await refusal(nowhere.run('select 1'));
    expect([error.code, isConnectionLoss(error)]).toEqual(['unavailable', false]);
    expect(isConnectionLoss(await refusal(nowhere.transaction((tx) => tx.run('select 1'))))).toBe(false);
  });
  test('is a warning, unless its connections were being closed: a server that stops then is in its right', async () => {
    const warned: unknown[] = [];
    const pool = openPool(connectionConfig(url), { ...silentLogger, warn: (_fields, text) => void warned.push(text) });
    const [first, second] = [await pool.connect(), await pool.connect()];
    first.release();
    second.release();
    const byTheServer = new Error('terminating connection due to administrator command');
    first.emit('error', byTheServer);
    expect(warned).toEqual(['a database connection was lost']);
    const ended = pool.end();
    second.emit('error', byTheServer);
    await ended;
    expect(warned).toHaveLength(1);
  });
  test('after its close is refused', async () => {
    const other = openDatabase({ url });
    await other.close();
    await other.close();
    expect((await refusal(other.run('select 1'))).code).toBe('unavailable');
  });
});

describe('listening', () => {
  test('hears notifications, and calls back after a lost connection', async () => {
    const { url: through, cut } = await proxy();
    const heard: string[] = [];
    const listener = await listen(
      { url: through, logger: silentLogger, reconnectMs: 20 },
      { 'changes of x': (payload) => heard.push(payload) },
    );
    closing.push(() => listener.stop());
    await db.run(`select pg_notify('changes of x', 'first')`);
    await until(() => heard.includes('first'));
    cut();
    await until(() => heard.includes(''));
    await db.run(`select pg_notify('changes of x', 'second')`);
    await until(() => heard.includes('second'));
  });
  test('goes on without a database, and stops', async () => {
    const listener = await listen({ url: 'postgres://u@127.0.0.1:1/d', logger: silentLogger, reconnectMs: 5 }, { x: () => undefined });
    await listener.stop();
  });
});

describe('an advisory lock', () => {
  test('lets one in at a time, of two processes, and is given back after a failure', async () => {
    const [one, two] = [openAdvisoryLocks({ url, logger: silentLogger }), openAdvisoryLocks({ url, logger: silentLogger })];
    closing.push(() => one.close(), () => two.close()); // prettier-ignore
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    const failing = one.withAdvisoryLock('tree', () => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? one : two).withAdvisoryLock('tree', work)));
    expect(most).toBe(1);
  });
  test('is waited for a while, then the answer is unavailable', async () => {
    const locks = openAdvisoryLocks({ url, logger: silentLogger, waitMs: 100 });
    closing.push(() => locks.close());
    await locks.withAdvisoryLock('busy', async () => {
      expect((await refusal(locks.withAdvisoryLock('busy', () => Promise.resolve()))).code).toBe('unavailable');
      await locks.withAdvisoryLock('another', () => Promise.resolve());
    });
  });
  test('that is lost aborts the work', async () => {
    const { url: through, cut } = await proxy();
    const locks = openAdvisoryLocks({ url: through, logger: silentLogger });
    closing.push(() => locks.close());
    await locks.withAdvisoryLock('tree', async (signal) => {
      cut();
      await until(() => signal.aborted);
    });
  });
});

describe('migrations', () => {
  test('of several processes at once are made once, and made again do nothing', async () => {
    const name = `${new URL(url).pathname.slice(1)}_m`;
    await onServer(url, `create database ${name}`);
    closing.push(() => onServer(url, `drop database ${name} with (force)`));
    const target = new URL(url);
    target.pathname = `/${name}`;
    const applied = await Promise.all([1, 2, 3].map(() => migrateDatabase(target.href)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(applied.flat()).toContain('0001_access');
    expect(await migrateDatabase(target.href)).toEqual([]);
    expect(await pendingMigrations(target.href)).toEqual([]);
  });
  test('of a newer program are refused with the reason', async () => {
    await db.run(`insert into schema_migration (name, batch, migration_time) values ('9999_later', 9, now())`);
    const error = await refusal(migrateDatabase(url));
    expect(error.message).toContain('newer Meshbroker (9999_later)');
    await db.run(`delete from schema_migration where name = '9999_later'`);
  });
  test('every constraint has a name that says its rule', async () => {
    const { rows } = await db.run(
      `select conrelid::regclass::text || '.' || conname as name from pg_constraint
        where contype = 'c' and connamespace = 'public'::regnamespace and conname ~ '_check[0-9]*$'`,
    );
    expect(rows).toEqual([]);
  });
});
