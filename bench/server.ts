/**
 * A broker for benchmarks, in a process of its own: embedded PostgreSQL with fsync, no operations run unless `--run`.
 * Prints one JSON line when it listens. `node bench/server.ts <data directory> <catalogue directory> [--run [gitops]]`
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { openAdvisoryLocks } from '../src/db/advisory-lock.ts';
import { openDatabase } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { systemRandom } from '../src/kernel/random.ts';
import { createLogger } from '../src/observe/logger.ts';
import { brokerMetrics } from '../src/observe/metrics.ts';

const [directory = '', catalog = '', mode, mesh = 'memory'] = process.argv.slice(2);
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
await migrateDatabase(postgres.url);
const logger = createLogger('warn');
const database = openDatabase({ url: postgres.url, logger });
const config = loadConfig({ MESHBROKER_CATALOG: catalog, MESHBROKER_MESH: mesh, MESHBROKER_DATA_DIR: directory });
const app = await createApp(config, {
  database,
  locks: openAdvisoryLocks({ url: postgres.url, logger }),
  secret: randomBytes(32),
  publicUrl: 'http://127.0.0.1',
  tls: null,
  gatewayCaPem: null,
  clock: systemClock,
  random: systemRandom,
  logger,
  metrics: brokerMetrics(),
});
await app.catalog.compressed;
const caller = { actor: 'bench', requestId: null };
const { username, password } = await app.platforms.create(caller, { name: 'bench', mayBindFor: ['*'] });
const { token } = await app.platforms.createToken(caller, 'collector', 'bench');
if (mode === '--run') app.runner.start();
app.http.listen(0, '127.0.0.1', () => {
  const { port } = app.http.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}`, username, password, token, database: postgres.url })}\n`);
});
process.on('SIGTERM', () => {
  app.http.closeAllConnections();
  app.http.close();
  void app.runner
    .stop(1_000)
    .then(() => database.close())
    .then(() => postgres.stop())
    .then(() => process.exit(0));
});
