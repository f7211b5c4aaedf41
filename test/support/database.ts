import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { openDatabase } from '../../src/db/database.ts';
import { databaseUrl, onServer } from './template.ts';

export interface FreshDatabase {
  readonly db: Database;
  readonly url: string;
  /** Closes `db` and removes the database, whoever is still connected. */
  readonly drop: () => Promise<void>;
}
/** A migrated, empty database of this test's own: a clone of the run's template (about 15 ms). */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { url: server, template } = inject('testDatabase');
  const name = `meshbroker_test_${randomBytes(6).toString('hex')}`;
  await onServer(server, `create database ${name} template ${template} strategy file_copy`);
  const url = databaseUrl(server, name);
  const db = openDatabase({ url });
  const drop = async (): Promise<void> => {
    await db.close();
    await onServer(server, `drop database if exists ${name} with (force)`);
  };
  return { db, url, drop };
}
