import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import type { EmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server for tests: `url` of its maintenance database, and the migrated database that is cloned for each test file. */
    readonly testDatabase: { readonly url: string; readonly template: string };
  }
}
export const databaseUrl = (serverUrl: string, database: string): string => {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
};
export async function onServer(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const prefix = 'meshbroker-test-';
const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
/** What killed runs left behind. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !alive(Number(pid))) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Once for each run: one PostgreSQL (a fast embedded one, or DATABASE_URL) with a migrated template. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['DATABASE_URL'];
  let server: EmbeddedPostgres | undefined;
  let directory: string | undefined;
  if (given === undefined) {
    await sweep();
    directory = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
    await chmod(directory, 0o755); // root's database runs as another user
    server = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), fast: true });
  }
  const url = given ?? server?.url ?? '';
  const template = `meshbroker_template_${process.pid}`;
  await onServer(url, `drop database if exists ${template}`, `create database ${template}`);
  await migrateDatabase(databaseUrl(url, template));
  project.provide('testDatabase', { url, template });
  return async () => {
    if (given !== undefined) await onServer(url, `drop database if exists ${template} with (force)`);
    await server?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  };
}
