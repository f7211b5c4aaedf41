import { BrokerError } from '../kernel/errors.ts';
import type { Sql } from '../kernel/sql.ts';
import type { BrokerSecret } from './secret.ts';
import { secretFingerprint } from './secret.ts';

/** `first`: nothing is recorded yet. `differs`: the database was made with another secret; nothing in it would open. */
export type SecretFit = 'fits' | 'first' | 'differs';

/** Reads only: for `doctor`. */
export async function secretFit(sql: Sql, secret: BrokerSecret): Promise<SecretFit> {
  const { rows } = await sql.run<{ fingerprint: string }>('select fingerprint from broker_secret');
  if (rows[0] === undefined) return 'first';
  return rows[0].fingerprint === secretFingerprint(secret) ? 'fits' : 'differs';
}
/** At the start: records the first secret, refuses another one. Repeatable, also by two replicas at once. */
export async function claimDatabase(sql: Sql, secret: BrokerSecret): Promise<void> {
  await sql.run('insert into broker_secret (fingerprint) values ($1) on conflict (id) do nothing', [secretFingerprint(secret)]);
  if ((await secretFit(sql, secret)) === 'fits') return;
  throw new BrokerError(
    'internal',
    'MESHBROKER_SECRET_FILE is not the secret of this database: give the file that it was first started with, or another database',
  );
}
/** Whether the database was started with a secret before: then a missing file must be restored, not made anew. */
export const knowsSecret = async (sql: Sql): Promise<boolean> => (await sql.run('select 1 from broker_secret')).count > 0;
