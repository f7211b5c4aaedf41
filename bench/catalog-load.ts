/**
 * 1,000 offerings of 5 plans with parameter schemas: first load, reload after one file has changed and after all have, each with the
 * longest delay that a request would have met. `node bench/catalog-load.ts [offerings] [--one-file]`; DATABASE_URL or a throw-away PostgreSQL.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pgCatalogStore } from '../src/catalog/catalog-store.pg.ts';
import { CatalogService } from '../src/catalog/catalog-service.ts';
import { fileCatalog } from '../src/catalog/sources/files.ts';
import { openDatabase } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/logger.ts';
import { offering } from './write-catalog.ts';

const count = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1000);
const oneFile = process.argv.includes('--one-file');

async function write(directory: string, indexes: readonly number[], price: number): Promise<void> {
  if (oneFile) {
    const all = Array.from({ length: count }, (_, index) => offering(index, indexes.includes(index) ? price : 1));
    return writeFile(join(directory, 'all.yaml'), all.join('---\n'));
  }
  for (const index of indexes) await writeFile(join(directory, `service-${index}.yaml`), offering(index, price));
}
async function measured(name: string, work: () => Promise<unknown>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  console.log(`${name.padEnd(28)} ${ms.toFixed(0).padStart(6)} ms   longest delay ${(delay.max / 1e6).toFixed(1).padStart(6)} ms`);
}

const home = await mkdtemp(join(tmpdir(), 'meshbroker-bench-'));
await chmod(home, 0o755); // started by root, the database runs as another user, who must get here
const server = process.env['DATABASE_URL'] === undefined ? await startEmbeddedPostgres({ directory: join(home, 'postgres') }) : undefined;
const url = server?.url ?? process.env['DATABASE_URL'] ?? '';
await migrateDatabase(url);
const db = openDatabase({ url });
try {
  const directory = join(home, 'catalog');
  await mkdir(directory);
  await write(directory, [...Array(count).keys()], 1);
  const catalog = new CatalogService({
    source: fileCatalog({ directory, training: false }),
    store: pgCatalogStore(db),
    transact: (work) => db.transaction((tx) => work({ catalog: pgCatalogStore(tx) })),
    clock: systemClock,
    logger: silentLogger,
    publicUrl: 'https://broker.example.com',
  });
  const task = catalog.refreshTask();
  const { signal } = new AbortController();
  await measured('load', () => catalog.load(signal));
  await measured('compress', () => catalog.compressed);
  await measured('look, nothing changed', () => task.activate(signal));
  await write(directory, [0], 2);
  await measured('reload, one changed', () => task.activate(signal));
  await measured('compress', () => catalog.compressed);
  await write(directory, [...Array(count).keys()], 3);
  await measured('reload, all changed', () => task.activate(signal));
  await write(directory, [...Array(count).keys()], 3);
  await measured('reload, all written again', () => task.activate(signal));
  await measured('compress', () => catalog.compressed);
  const { offerings, plans, problems } = catalog.catalogStatus();
  console.log({ offerings, plans, problems: problems.length, bytes: catalog.representation(17).identity.length });
} finally {
  await db.close();
  await server?.stop();
  await rm(home, { recursive: true, force: true });
}
