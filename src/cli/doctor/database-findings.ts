import { stat } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import type { Database } from '../../db/database.ts';
import { pendingMigrations } from '../../db/migrate.ts';
import { knowsSecret, secretFit } from '../../identity/broker-secret-store.pg.ts';
import { brokerSecret } from '../../identity/secret.ts';
import { readSecret } from '../serve/data-files.ts';
import type { Finding } from './finding.ts';
import { note, ok, wrong } from './finding.ts';

const oldestMajor = 15;
const largestSkewMs = 2_000;

export async function databaseFinding(database: Database, where: string): Promise<Finding> {
  const { rows } = await database.run<{ version: string; number: number; replicated: boolean }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
            exists (select 1 from pg_stat_replication where sync_state = 'async')
              and current_setting('synchronous_standby_names') = '' as replicated`,
  );
  const server = rows[0];
  if (server === undefined) return wrong('database', 'it answers nothing');
  if (server.number < oldestMajor * 10_000)
    return wrong('database', `PostgreSQL ${server.version} is too old: use ${oldestMajor} or later`);
  const pending = await pendingMigrations(database.url);
  if (pending.length > 0) return note('database', `PostgreSQL ${server.version}, ${where}; the next start applies ${pending.join(', ')}`);
  if (server.replicated)
    return note(
      'database',
      `PostgreSQL ${server.version}, ${where}; its standbys are asynchronous: a fail-over loses acknowledged orders, set synchronous_standby_names`,
    );
  return ok('database', `PostgreSQL ${server.version}, ${where}`);
}

/** Instead of an open database: there is none yet, or it cannot be used. */
export type DatabaseState = 'to be made' | 'away';

export async function secretFinding(database: Database | DatabaseState, { secretFile }: Config): Promise<Finding> {
  const bytes = await readSecret(secretFile);
  const open = typeof database !== 'string';
  const known = open && (await hasTable(database)) && (await knowsSecret(database));
  if (bytes === undefined && database === 'away')
    return note('secret', `not checked: ${secretFile} is missing, and the database may know one`);
  if (bytes === undefined)
    return known
      ? wrong('secret', `${secretFile} is missing, and the database was made with one: restore the file`)
      : ok('secret', `${secretFile} is made at the first start`);
  if (known && (await secretFit(database, brokerSecret(bytes))) === 'differs')
    return wrong('secret', `${secretFile} is not the secret of this database: restore the file that it was first started with`);
  const { mode } = await stat(secretFile);
  if ((mode & 0o077) !== 0) return note('secret', `${secretFile} fits, but others may read it: chmod 600 ${secretFile}`);
  if (database === 'away') return note('secret', `${secretFile} is there; not checked: whether it fits the database`);
  return ok('secret', known ? `${secretFile} fits the database` : secretFile);
}
const hasTable = async (database: Database): Promise<boolean> =>
  (await database.run<{ there: boolean }>(`select to_regclass('broker_secret') is not null as there`)).rows[0]?.there === true;

/** Half of the round trip is taken for the way back. */
export async function clockFinding(database: Database, now: () => Date): Promise<Finding> {
  const before = now().getTime();
  const { rows } = await database.run<{ at: Date }>('select clock_timestamp() as at');
  const skew = (rows[0]?.at.getTime() ?? 0) - (before + now().getTime()) / 2;
  const shown = Math.abs(skew) < 1_000 ? `${Math.round(Math.abs(skew))} ms` : `${(Math.abs(skew) / 1_000).toFixed(1)} s`;
  if (Math.abs(skew) > largestSkewMs)
    return wrong(
      'clock',
      `this host is ${shown} ${skew > 0 ? 'behind' : 'ahead of'} the database: set both by NTP, or certificates are refused`,
    );
  return ok('clock', `${shown} from the database's`);
}
