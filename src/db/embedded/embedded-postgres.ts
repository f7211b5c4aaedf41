import type { ChildProcess } from 'node:child_process';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { BrokerError } from '../../kernel/errors.ts';
import { codeOf } from '../failures.ts';
import { postgresPrograms } from './binaries.ts';
import type { Place } from './place.ts';
import { choosePlace } from './place.ts';
import { isAlive, pause, readPostmaster, stopPostmaster } from './postmaster.ts';
import { runProgram, spawnPostgres } from './programs.ts';

const user = 'meshbroker';
const defaultStartMs = 15_000;
const recoveryMs = 300_000;
const stopMs = 10_000;

export interface EmbeddedOptions {
  /** Directory of the database alone, made when missing. */
  readonly directory: string;
  /** Throw-away databases of tests: no fsync, nothing survives a crash. */
  readonly fast?: boolean;
  /** How long a start may be tried; default 15 s. */
  readonly startMs?: number;
}
export interface EmbeddedPostgres {
  readonly url: string;
  /** Where it really lives: `directory`, or below /var/lib/meshbroker where its user cannot enter that. */
  readonly directory: string;
  /** The live process that started it and stops it; null: this one. */
  readonly owner: number | null;
  /** Stops it cleanly, unless another live process started it. */
  stop(): Promise<void>;
}

/**
 * Real PostgreSQL from npm, on a Unix socket that only its own user and root can reach. One that runs already (its broker was
 * killed, or shares it) is taken over. Safe to kill at any moment, and started again after any kill.
 */
export async function startEmbeddedPostgres({
  directory,
  fast = false,
  startMs = defaultStartMs,
}: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const place = await choosePlace(directory);
  const programs = await postgresPrograms(place.root, place.account);
  if (!(await exists(place.data))) await initialise(place, programs, fast);
  const { pid, child } = await startServer(place, programs, fast, performance.now() + startMs);
  const url = `postgres://${user}@${encodeURIComponent(place.socket)}/${user}`;
  await ensureDatabase(url);
  const owner = await takeOwnership(place.root, child !== undefined);
  child?.unref();
  return {
    url,
    directory: place.root,
    owner,
    stop: async () => {
      if (owner !== null) return;
      await stopPostmaster(pid, stopMs);
      if (!place.socket.startsWith(place.root)) await rm(place.socket, { recursive: true, force: true });
    },
  };
}
const exists = (path: string): Promise<boolean> => stat(path).then(
  () => true,
  () => false,
); // prettier-ignore

/** Beside, then renamed: a first start that was killed leaves nothing half done. */
async function initialise({ root, data, account }: Place, programs: string, fast: boolean): Promise<void> {
  const leftovers = (await readdir(root)).filter((name) => /^data[.]\d+$/.test(name) && !isAlive(Number(name.slice(5))));
  for (const name of leftovers) await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined); // its initdb may still be writing
  const part = `${data}.${process.pid}`;
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  await runProgram(programs, account, 'initdb', ['-D', part, '-U', user, '--auth=trust', ...locale, ...(fast ? ['--no-sync'] : [])]);
  await rename(part, data).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
    return rm(part, { recursive: true, force: true });
  });
}

const settings = (socket: string, fast: boolean): readonly string[] =>
  Object.entries({
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(fast ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200', autovacuum: 'off' } : {}),
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/**
 * Tries for up to 15 s: after a kill the old server may still be stopping, or its shared memory not yet be given back.
 * `child` is set when this call started the server, unset when it found one.
 */
async function startServer(
  place: Place,
  programs: string,
  fast: boolean,
  end: number,
): Promise<{ readonly pid: number; readonly child: ChildProcess | undefined }> {
  const logFile = join(place.root, 'postgres.log');
  await rotate(logFile);
  for (;;) {
    const running = await readPostmaster(place.data);
    if (running?.ready === true && isAlive(running.pid) && (await answers(place.socket))) return { pid: running.pid, child: undefined };
    if (running === undefined || !isAlive(running.pid)) {
      const child = spawnPostgres(programs, place.account, ['-D', place.data, ...settings(place.socket, fast)], logFile);
      const pid = await whenReady(child, place.data);
      if (pid !== undefined) return { pid, child };
    }
    if (performance.now() > end)
      throw new BrokerError('internal', `the embedded PostgreSQL does not start; see ${logFile}: ${await lastLines(logFile)}`);
    await pause(50);
  }
}
/** undefined: it ended. A server that still recovers from a crash is waited for. */
async function whenReady(child: ChildProcess, data: string): Promise<number | undefined> {
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const end = performance.now() + recoveryMs;
  while (performance.now() < end) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    const server = await readPostmaster(data);
    if (server !== undefined && server.pid === child.pid && server.ready) return server.pid;
    await pause(3);
  }
  child.kill('SIGQUIT');
  return undefined;
}
async function answers(socket: string): Promise<boolean> {
  const client = new pg.Client({ host: socket, user, database: 'postgres', connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
  } catch (error) {
    if (codeOf(error) !== '3D000') throw error;
    const maintenance = new pg.Client({ connectionString: url.replace(/[^/]*$/, 'postgres') });
    await maintenance.connect();
    await maintenance.query(`create database ${user}`).finally(() => maintenance.end());
  } finally {
    await client.end().catch(() => undefined);
  }
}
/** Who found a running server owns it (null) only when the one that started it is gone: else it would stop it under that one. */
async function takeOwnership(root: string, started: boolean): Promise<number | null> {
  const file = join(root, 'broker.pid');
  const owner = Number(await readFile(file, 'utf8').catch(() => ''));
  if (!started && owner > 0 && owner !== process.pid && isAlive(owner)) return owner;
  await writeFile(file, String(process.pid), { mode: 0o644 });
  return null;
}

const largestLog = 10_000_000;
async function rotate(logFile: string): Promise<void> {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  if (size > largestLog) await rename(logFile, `${logFile}.old`);
}
const lastLines = async (logFile: string): Promise<string> => (await readFile(logFile, 'utf8')).trim().split('\n').slice(-3).join(' | ');
