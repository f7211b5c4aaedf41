import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { BrokerError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import { systemRandom } from '../kernel/random.ts';
import type { BulkSql, SqlDatabase, SqlResult, SqlStatement } from '../kernel/sql.ts';
import { connectionConfig, openPool, requestLimits } from './connection.ts';
import { isBroken, isRepeatable, NeverConnected, visibleFailure } from './failures.ts';

export interface DatabaseOptions {
  readonly url: string;
  /** Default: says nothing. */
  readonly logger?: Logger;
  readonly random?: Random;
  /** Connections at once. About four for each core of the database is fastest. */
  readonly poolSize?: number;
}
/** The database of one process. Lost connections and full queues surface as BrokerError `unavailable`. */
export interface Database extends SqlDatabase {
  readonly url: string;
  /** Waits for running statements; afterwards everything is refused. Repeatable. */
  close(): Promise<void>;
}
const defaultPoolSize = 8;
const bulkPoolSize = 4;
const bulkLimits = { ...requestLimits, statementMs: 60_000, lockMs: 10_000 };
const longestQueue = 1_000;
const tries = 5;
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

export function openDatabase({ url, logger = silentLogger, random = systemRandom, poolSize = defaultPoolSize }: DatabaseOptions): Database {
  const pool = openPool({ ...connectionConfig(url), max: poolSize, idleTimeoutMillis: 60_000, pipeline: true }, logger);
  const bulkPool = openPool({ ...connectionConfig(url, bulkLimits), max: bulkPoolSize, idleTimeoutMillis: 60_000 }, logger); // COPY knows no pipeline
  const repeatedly = async <T>(from: pg.Pool, work: (tx: BulkSql) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await transactionOnce(from, work);
      } catch (error) {
        if (!isRepeatable(error) || attempt === tries) throw visibleFailure(error);
        await pause(2 ** attempt * (1 + random.fraction()));
      }
    }
  };
  let closed: Promise<unknown> | undefined;
  return {
    url,
    run: (statement, values) => runAlone(pool, statement, values),
    transaction: (work) => repeatedly(pool, work),
    bulk: (work) => repeatedly(bulkPool, work),
    async close() {
      await (closed ??= Promise.all([pool.end(), bulkPool.end()]));
    },
  };
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  if (pool.waitingCount >= longestQueue)
    throw new BrokerError('unavailable', 'too much waits for the database: send the request again', { retryAfterSeconds: 2 });
  try {
    return await pool.connect();
  } catch (cause) {
    throw new NeverConnected('no connection to the database', { cause });
  }
}
async function runAlone<Row>(pool: pg.Pool, statement: SqlStatement | string, values?: readonly unknown[]): Promise<SqlResult<Row>> {
  let client: pg.PoolClient | undefined;
  let broken = false;
  try {
    client = await connect(pool);
    return await runOn<Row>(client, statement, values);
  } catch (error) {
    broken = isBroken(error);
    throw visibleFailure(error);
  } finally {
    client?.release(broken);
  }
}
async function runOn<Row>(client: pg.ClientBase, statement: SqlStatement | string, values?: readonly unknown[]): Promise<SqlResult<Row>> {
  const query = typeof statement === 'string' ? { text: statement } : statement;
  const { rows, rowCount } = await client.query<Row & pg.QueryResultRow>({
    ...query,
    ...(values === undefined ? {} : { values: [...values] }),
  });
  return { rows, count: rowCount ?? 0 };
}

/** `begin` goes out together with the first statement: one round trip less. */
async function transactionOnce<T>(pool: pg.Pool, work: (tx: BulkSql) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let open = true;
  let broken = false;
  const whileOpen = (): void => {
    if (!open) throw new Error('this transaction has ended: statements run inside of its callback only');
  };
  const tx: BulkSql = {
    run: (statement, values) => {
      whileOpen();
      return runOn(client, statement, values);
    },
    async copy(statement, data) {
      whileOpen();
      const stream = client.query(copyFrom(statement));
      stream.end(data);
      await finished(stream);
    },
  };
  try {
    const begun = client.query('begin');
    begun.catch(() => undefined);
    const result = await work(tx);
    open = false;
    await begun;
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: a statement of it had failed, and the failure was hidden');
    return result;
  } catch (error) {
    open = false;
    broken = isBroken(error);
    if (!broken) await client.query('rollback').catch(() => (broken = true));
    throw error;
  } finally {
    client.release(broken);
  }
}
