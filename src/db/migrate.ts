import { readdir } from 'node:fs/promises';
import type { Knex } from 'knex';
import pg from 'pg';
import { BrokerError } from '../kernel/errors.ts';
import { connectionConfig, targetOf } from './connection.ts';
import { visibleFailure } from './failures.ts';

const table = 'schema_migration';
const directory = new URL('../../migrations/', import.meta.url);
const noLimits = { statementMs: 0, lockMs: 0, idleInTransactionMs: 0 };

interface MigrationFile {
  readonly name: string;
  readonly file: string;
}
/** Names without extension: a database migrated from sources (.ts) is the same for the built package (.js). */
async function migrationFiles(): Promise<readonly MigrationFile[]> {
  const files = (await readdir(directory)).filter((file) => /^\d{4}_[a-z_]+\.(ts|js)$/.test(file)).sort();
  return files.map((file) => ({ file, name: file.replace(/\.(ts|js)$/, '') }));
}
const source = (files: readonly MigrationFile[]): Knex.MigrationSource<MigrationFile> => ({
  getMigrations: () => Promise.resolve([...files]),
  getMigrationName: ({ name }) => name,
  async getMigration({ file }) {
    const { up } = (await import(new URL(file, directory).href)) as { up: (db: Knex) => Promise<void> };
    return { up, down: () => Promise.reject(new Error('migrations go forward only')) };
  },
});

async function done(client: pg.ClientBase): Promise<readonly string[]> {
  // not to_regclass: after a wait for the lock it would still answer from before
  const exists = 'select exists (select from pg_class where relname = $1 and pg_table_is_visible(oid)) as made';
  const { rows } = await client.query<{ made: boolean }>(exists, [table]);
  if (rows[0]?.made !== true) return [];
  return (await client.query<{ name: string }>(`select name from ${table} order by id`)).rows.map(({ name }) => name);
}
const oldestMajor = 15;
async function refuseOldServer(client: pg.ClientBase): Promise<void> {
  const text = `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`;
  const { rows } = await client.query<{ version: string; number: number }>(text);
  if ((rows[0]?.number ?? 0) < oldestMajor * 10_000)
    throw new BrokerError(
      'internal',
      `PostgreSQL ${rows[0]?.version ?? ''} is too old: give DATABASE_URL of version ${oldestMajor} or later`,
    );
}
/** Migrations of this program that the database has not had. Refuses a database of a newer program. */
async function missing(client: pg.ClientBase, files: readonly MigrationFile[]): Promise<readonly string[]> {
  const applied = await done(client);
  const known = new Set(files.map(({ name }) => name));
  const newer = applied.filter((name) => !known.has(name));
  if (newer.length > 0)
    throw new BrokerError(
      'internal',
      `the database was migrated by a newer Meshbroker (${newer.join(', ')}): start that version or a later one`,
    );
  return files.map(({ name }) => name).filter((name) => !applied.includes(name));
}

/** Reads only: what `migrateDatabase` would do now (doctor). */
export const pendingMigrations = (url: string): Promise<readonly string[]> =>
  withClient(url, async (client) => missing(client, await migrationFiles()));

/**
 * Brings the schema up to date and says which migrations that took. Repeatable; of several processes at once one works and the
 * others wait. A process killed in between leaves nothing locked.
 */
export const migrateDatabase = (url: string): Promise<readonly string[]> =>
  withClient(url, async (client) => {
    await refuseOldServer(client);
    const files = await migrationFiles();
    if ((await missing(client, files)).length === 0) return [];
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtextextended('meshbroker/${table}', 0))`);
    const names = await missing(client, files);
    if (names.length > 0) await runWithKnex(url, files);
    await client.query('commit');
    return names;
  });

/** knex is loaded only when there is something to do: it costs more than the whole rest of a warm start. */
async function runWithKnex(url: string, files: readonly MigrationFile[]): Promise<void> {
  const { default: knex } = await import('knex');
  const db = knex({ client: 'pg', connection: { ...targetOf(url, noLimits) }, pool: { min: 0, max: 2 } });
  const config = { migrationSource: source(files), tableName: table };
  try {
    await db.migrate.forceFreeMigrationsLock(config); // ours is the advisory lock; knex's own row stays locked after a kill
    await db.migrate.latest(config);
  } finally {
    await db.destroy();
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connectionConfig(url, noLimits));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw visibleFailure(error);
  } finally {
    await client.end();
  }
}
