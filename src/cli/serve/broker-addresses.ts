import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../db/embedded/postmaster.ts';
import { writeJson } from './data-files.ts';

/** A broker of a data directory, as it announced itself for the command line. */
export interface AnnouncedBroker {
  readonly url: string;
  readonly host: string;
  readonly pid: number;
}
const folder = (dataDirectory: string): string => join(dataDirectory, 'brokers');

/** Replicas share a data directory: each has a file of its own, which goes when it stops. Resolves with what takes it back. */
export async function announceBroker(dataDirectory: string, url: string): Promise<() => Promise<void>> {
  const own: AnnouncedBroker = { url, host: hostname(), pid: process.pid };
  const file = join(folder(dataDirectory), `${own.host.replaceAll(/[^\w.-]/g, '-')}-${own.pid}.json`);
  await mkdir(folder(dataDirectory), { recursive: true });
  for (const { path, broker } of await entries(dataDirectory))
    if (broker.host === own.host && !isAlive(broker.pid)) await rm(path, { force: true }); // it was killed
  await writeJson(file, own);
  return () => rm(file, { force: true });
}
/** Newest first; one that was killed may be among them. */
export async function announcedBrokers(dataDirectory: string): Promise<readonly AnnouncedBroker[]> {
  const found = await entries(dataDirectory);
  return found.toSorted((a, b) => b.since - a.since).map(({ broker }) => broker);
}

interface Entry {
  readonly path: string;
  readonly since: number;
  readonly broker: AnnouncedBroker;
}
async function entries(dataDirectory: string): Promise<readonly Entry[]> {
  const names = await readdir(folder(dataDirectory)).catch(() => []);
  const read = names.filter((name) => name.endsWith('.json')).map((name) => entryAt(join(folder(dataDirectory), name)));
  return (await Promise.all(read)).filter((entry) => entry !== undefined);
}
/** undefined: its broker has just taken it back. */
async function entryAt(path: string): Promise<Entry | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { path, since: mtimeMs, broker: JSON.parse(text) as AnnouncedBroker };
  } catch {
    return undefined;
  }
}
