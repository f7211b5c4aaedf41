import type { Logger } from '../kernel/logger.ts';
import { connectionConfig, openPool } from './connection.ts';
import { isBroken, visibleFailure } from './failures.ts';

export interface AdvisoryLocks {
  /**
   * Runs `work` while no other process of this database runs work under the same key. Waits at most `waitMs` (then BrokerError
   * `unavailable`). The signal aborts when the connection, and with it the lock, is lost; work that writes then must stop.
   */
  withAdvisoryLock<T>(key: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
export interface AdvisoryLockOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Default 60 s. */
  readonly waitMs?: number;
  /** Default 120 s: work that takes longer loses its lock. */
  readonly workMs?: number;
}
const connections = 4;

/** Locks of transactions, never of sessions: these leak behind a pooler. On connections of their own, so that work may use the database. */
export function openAdvisoryLocks({ url, logger, waitMs = 60_000, workMs = 120_000 }: AdvisoryLockOptions): AdvisoryLocks {
  const limits = { statementMs: waitMs, lockMs: waitMs, idleInTransactionMs: workMs };
  const pool = openPool({ ...connectionConfig(url, limits), max: connections, connectionTimeoutMillis: waitMs }, logger);
  let closed: Promise<void> | undefined;
  return {
    async withAdvisoryLock(key, work) {
      const client = await pool.connect().catch((error: unknown) => {
        throw visibleFailure(error);
      });
      const lost = new AbortController();
      const abort = (): void => lost.abort();
      client.on('error', abort);
      let broken = false;
      try {
        await client.query('begin');
        await client.query({ name: 'advisory_lock', text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [key] });
        return await work(lost.signal);
      } catch (error) {
        broken = isBroken(error);
        throw visibleFailure(error);
      } finally {
        client.off('error', abort);
        await client.query('commit').catch(() => (broken = true));
        client.release(broken);
      }
    },
    close: () => (closed ??= pool.end()),
  };
}
