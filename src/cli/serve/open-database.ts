import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { AdvisoryLocks } from '../../db/advisory-lock.ts';
import { openAdvisoryLocks } from '../../db/advisory-lock.ts';
import type { Database } from '../../db/database.ts';
import { openDatabase } from '../../db/database.ts';
import type { EmbeddedPostgres } from '../../db/embedded/embedded-postgres.ts';
import { startEmbeddedPostgres } from '../../db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../../db/migrate.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Random } from '../../kernel/random.ts';

export interface OpenDatabase {
  readonly database: Database;
  readonly locks: AdvisoryLocks;
  /** Of the embedded one; null with DATABASE_URL. */
  readonly directory: string | null;
  close(): Promise<void>;
}
/** The database of the settings, migrated; the embedded one is started first. */
export async function openDatabaseOf(
  config: Pick<Config, 'database' | 'dataDirectory'>,
  logger: Logger,
  random: Random,
): Promise<OpenDatabase> {
  const embedded: EmbeddedPostgres | null =
    config.database.url === null ? await startEmbeddedPostgres({ directory: join(config.dataDirectory, 'postgres') }) : null;
  const url = embedded?.url ?? config.database.url ?? '';
  try {
    const migrations = await migrateDatabase(url);
    if (migrations.length > 0) logger.info({ migrations }, 'the database was migrated');
  } catch (error) {
    await embedded?.stop();
    throw error;
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
