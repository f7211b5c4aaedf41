/**
 * 1,000 offerings of 5 plans with parameter schemas: first load, reload after one file has changed and after all have (the wait for the
 * files to settle included), and the longest delay that a request would have met meanwhile.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pgCatalogStore } from '../src/catalog/catalog-store.pg.ts';
import { CatalogService } from '../src/catalog/catalog-service.ts';
import { fileCatalog } from '../src/catalog/sources/files.ts';
import { openDatabase, type Database } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/logger.ts';
import { figureOf, type Figure } from './figure.ts';
import { benchHome } from './home.ts';
import { offering } from './write-catalog.ts';

const count = 1_000;
const rounds = 5;

/** Quoted without a ceiling, in milliseconds; `catalog.reload.delay` is the longest of a reload of all files. */
export async function benchCatalogLoad(): Promise<readonly Figure[]> {
  const home = await benchHome();
  const server = await startEmbeddedPostgres({ directory: join(home, 'postgres') });
  await migrateDatabase(server.url);
  const db = openDatabase({ url: server.url });
  try {
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await db.run('truncate service_offering, plan cascade');
      measured.push(await oneRound(db, join(home, `catalog-${round}`)));
    }
    const figure = (name: string, of: (round: Round) => number): Figure =>
      figureOf(
        name,
        'ms',
        measured.map((round) => ({ value: of(round), ceiling: 0 })),
      );
    return [
      figure('catalog.load', ({ load }) => load.ms),
      figure('catalog.reload.one', ({ one }) => one.ms),
      figure('catalog.reload.all', ({ all }) => all.ms),
      figure('catalog.reload.delay', ({ all }) => all.longestDelay),
    ];
  } finally {
    await db.close();
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
}
interface Measured {
  readonly ms: number;
  readonly longestDelay: number;
}
interface Round {
  readonly load: Measured;
  readonly one: Measured;
  readonly all: Measured;
}
async function oneRound(db: Database, directory: string): Promise<Round> {
  await mkdir(directory);
  const everything = [...Array(count).keys()];
  await write(directory, everything, 1);
  const catalog = new CatalogService({
    source: fileCatalog({ directory, training: false }),
    store: pgCatalogStore(db),
    transact: (work) => db.bulk((tx) => work({ catalog: pgCatalogStore(tx) })),
    clock: systemClock,
    logger: silentLogger,
    publicUrl: 'https://broker.example.com',
  });
  const task = catalog.refreshTask();
  const { signal } = new AbortController();
  const load = await measured(() => catalog.load(signal));
  await write(directory, [0], 2);
  const one = await measured(() => task.activate(signal));
  await catalog.compressed;
  await write(directory, everything, 3);
  const all = await measured(() => task.activate(signal));
  await catalog.compressed;
  const { offerings, plans, problems, version } = catalog.catalogStatus();
  if (offerings !== count || plans !== count * 5 || problems.length > 0 || version !== 3)
    throw new Error(`after ${version} catalogues there are ${offerings} offerings with ${plans} plans and ${problems.length} problems`);
  return { load, one, all };
}
async function write(directory: string, indexes: readonly number[], price: number): Promise<void> {
  for (const index of indexes) await writeFile(join(directory, `service-${index}.yaml`), offering(index, price));
}
async function measured(work: () => Promise<unknown>): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  return { ms, longestDelay: delay.max / 1e6 };
}
