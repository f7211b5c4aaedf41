import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeBatch } from '../src/api/ingest/cloud-events.ts';
import { openDatabase, type Database } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { createUsage, type Usage } from '../src/usage/create-usage.pg.ts';
import { eventColumns } from '../src/usage/event-rows.ts';
import { startChild } from './child.ts';
import { alternate, type Figure } from './figure.ts';
import { benchHome } from './home.ts';
import { batchText, bindingNumber, bindings, copyText } from './usage-data.ts';
import { benchMonth } from './usage-month.ts';

const rounds = 5;
const eventsOfRound = 60_000;
const bookinfo = new URL('../examples/bookinfo/', import.meta.url).pathname;

/** Events per second from JSON text to commit, of COPY text into a table without an index; a month's report, of the same question on raw rows. */
export async function benchUsage(): Promise<Figure[]> {
  const directory = await benchHome();
  const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  await migrateDatabase(server.url);
  const database = openDatabase({ url: server.url });
  try {
    const usage = createUsage({ database, clock: systemClock, settings: { keepDays: 400 } });
    await database.run(`create table bench_ceiling (like usage_event)`);
    for (let n = 0; n < bindings; n += 1) await usage.attributionOn(database).open(bindingNumber(n));
    await database.run(`update attribution set valid_from = valid_from - interval '1 day'`); // not all born this minute
    const ceiling = (size: number) => () => copied(database, size);
    return [
      await alternate('usage.batch.1000', 'events/s', rounds, () => ingested(usage, 1_000), ceiling(1_000)),
      await alternate('usage.batch.10000', 'events/s', rounds, () => ingested(usage, 10_000), ceiling(10_000)),
      ...(await benchHttp(join(directory, 'broker'), ceiling)),
      await benchMonth(database, usage),
    ];
  } finally {
    await database.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** One sender that waits for each answer; the sums are rolled up within the time that counts. */
async function ingested(usage: Usage, size: number): Promise<number> {
  const texts = Array.from({ length: eventsOfRound / size }, () => batchText(size, Date.now()));
  const start = performance.now();
  for (const text of texts) {
    const { accepted } = await usage.ingestion.ingest('bench', decodeBatch(text).events);
    if (accepted !== size) throw new Error(`${accepted} of ${size} events were accepted`);
  }
  const rollUp = usage.tasks.find(({ name }) => name === 'usage-roll-up');
  while (await rollUp?.activate(AbortSignal.timeout(60_000)));
  return (eventsOfRound * 1_000) / (performance.now() - start);
}
async function copied(database: Database, size: number): Promise<number> {
  const texts = Array.from({ length: eventsOfRound / size }, () => copyText(size, Date.now()));
  const start = performance.now();
  for (const text of texts) await database.bulk((tx) => tx.copy(`copy bench_ceiling (${eventColumns}) from stdin`, text));
  const seconds = (performance.now() - start) / 1_000;
  await database.run('truncate bench_ceiling');
  return eventsOfRound / seconds;
}
/** The same through the API, with authentication. */
async function benchHttp(directory: string, ceiling: (size: number) => () => Promise<number>): Promise<readonly Figure[]> {
  const broker = await startChild('server.ts', directory, bookinfo);
  const post = async (size: number): Promise<number> => {
    const texts = Array.from({ length: eventsOfRound / size }, () => batchText(size, Date.now()));
    const headers = { authorization: `Bearer ${broker.token}`, 'content-type': 'application/cloudevents-batch+json' };
    const start = performance.now();
    for (const text of texts) {
      const response = await fetch(`${broker.url}/v1/usage/events`, { method: 'POST', headers, body: new Uint8Array(text) });
      const { accepted } = (await response.json()) as { accepted?: number };
      if (accepted !== size) throw new Error(`answered ${response.status}, ${accepted ?? 0} of ${size} events were accepted`);
    }
    return (eventsOfRound * 1_000) / (performance.now() - start);
  };
  try {
    return [
      await alternate('usage.http.1000', 'events/s', rounds, () => post(1_000), ceiling(1_000)),
      await alternate('usage.http.10000', 'events/s', rounds, () => post(10_000), ceiling(10_000)),
    ];
  } finally {
    await broker.stop();
  }
}
