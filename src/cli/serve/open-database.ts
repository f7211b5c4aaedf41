import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { AdvisoryLocks } from '../../db/advisory-lock.ts';
import { openAdvisoryLocks } from '../../db/advisory-lock.ts';
import type { Database } from '../../db/database.ts';
import { openDatabase } from '../../db/database.ts';
import type { EmbeddedPostgres } from '../../db/embedded/embedded-postgres.ts';
import { startEmbeddedPostgres } from '../../db/embedded/embedded-postgres.ts';
import { explained } from '../../db/explain.ts';
import { migrateDatabase } from '../../db/migrate.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Random } from '../../kernel/random.ts';
import { announcedBrokers } from './broker-addresses.ts';

export interface OpenDatabase {
  readonly database: Database;
  readonly locks: AdvisoryLocks;
  /** Of the embedded one; null with DATABASE_URL. */
  readonly directory: string | null;
  close(): Promise<void>;
}
/** `ours`: refuses the embedded database of another live process, which would stop it under this one. */
export interface Opening {
  readonly embedded: 'ours' | 'any';
  readonly logger: Logger;
  readonly random: Random;
}
/** The database of the settings, migrated; the embedded one is started first. */
export async function openDatabaseOf(
  config: Pick<Config, 'database' | 'dataDirectory'>,
  { embedded: whose, logger, random }: Opening,
): Promise<OpenDatabase> {
  const embedded: EmbeddedPostgres | null =
    config.database.url === null ? await startEmbeddedPostgres({ directory: join(config.dataDirectory, 'postgres') }) : null;
  if (whose === 'ours') await refuseOthers(config.dataDirectory, embedded);
  const url = embedded?.url ?? config.database.url ?? '';
  try {
    const migrations = await migrateDatabase(url);
    if (migrations.length > 0) logger.info({ migrations }, 'the database was migrated');
  } catch (error) {
    await embedded?.stop();
    throw embedded === null ? explained(error, url) : error;
  }
  const database = openDatabase({ url, logger, random, poolSize: config.database.poolSize });
  const locks = openAdvisoryLocks({ url, logger });
  return {
    database,
    locks,
    directory: embedded?.directory ?? null,
    async close() {
      await Promise.all([database.close(), locks.close()]);
      await embedded?.stop();
    },
  };
}

async function refuseOthers(dataDirectory: string, embedded: EmbeddedPostgres | null): Promise<void> {
  const owner = embedded?.owner ?? null;
  if (owner === null) return;
  const broker = (await announcedBrokers(dataDirectory)).find(({ pid }) => pid === owner);
  const who = broker === undefined ? `process ${owner}` : `the broker at ${broker.url} (process ${owner})`;
  throw new BrokerError(
    'internal',
    `MESHBROKER_DATA_DIR=${dataDirectory}: ${who} runs with the embedded database of this directory: stop it, choose another directory, or give both the same DATABASE_URL`,
  );
}
