import pg from 'pg';
import type { PoolConfig } from 'pg';
import type { Logger } from '../kernel/logger.ts';
import { valueTypes } from './value-types.ts';

/** Session settings in milliseconds; 0 means for ever. */
export interface SessionLimits {
  readonly statementMs: number;
  readonly lockMs: number;
  readonly idleInTransactionMs: number;
}
/** Nothing that a request does takes longer; what does is stuck, and holds others up. */
export const requestLimits: SessionLimits = { statementMs: 5_000, lockMs: 2_000, idleInTransactionMs: 10_000 };

export interface Target {
  readonly connectionString: string;
  /** Session settings; `options` of the URL come last, so that an operator's win. */
  readonly options: string;
  readonly application_name: string;
}
export function targetOf(url: string, limits: SessionLimits): Target {
  const target = new URL(url);
  const given = target.searchParams.get('options');
  target.searchParams.delete('options');
  const own = {
    statement_timeout: limits.statementMs,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
  };
  const options = Object.entries(own).map(([name, ms]) => `-c ${name}=${ms}`);
  return {
    connectionString: target.href,
    options: [...options, ...(given === null ? [] : [given])].join(' '),
    application_name: 'meshbroker',
  };
}
/** For a pool or a client: keep-alive, time-outs, our value types. A statement that hears nothing is given up a little after the server's limit. */
export const connectionConfig = (url: string, limits: SessionLimits = requestLimits): PoolConfig => ({
  ...targetOf(url, limits),
  types: valueTypes,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  connectionTimeoutMillis: 5_000,
  ...(limits.statementMs === 0 ? {} : { query_timeout: limits.statementMs + 2_000 }),
});

/** A server that only follows another one takes no writes; after a fail-over the old address may lead there. */
async function refuseFollower(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ follows: boolean }>('select pg_is_in_recovery() as follows');
  if (rows[0]?.follows === true) throw Object.assign(new Error('this PostgreSQL is a standby: it takes no writes'), { code: '25006' });
}
/** A pool whose lost connections are replaced and never end the process. */
export function openPool(config: PoolConfig, logger: Logger): pg.Pool {
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool waits for it; its types do not say so
  const pool = new pg.Pool({ ...config, onConnect: refuseFollower });
  pool.on('error', (error) => {
    if (!pool.ending) logger.warn({ error: error.message }, 'a database connection was lost'); // one that was let go is none
  });
  pool.on('connect', (client) => client.on('error', () => undefined)); // its statements are told; without a listener the process ends
  return pool;
}
