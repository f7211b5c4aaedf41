import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { existsSync, openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from './account.ts';

/** Nothing of our own environment: it holds secrets, and PG* variables would change what the programs do. */
const environment = (programs: string): NodeJS.ProcessEnv => ({
  PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', LD_LIBRARY_PATH: join(programs, 'lib'),
}); // prettier-ignore

const as = (account: Account): { uid?: number; gid?: number } => (account.other ? { uid: account.uid, gid: account.gid } : {});

/** `setpriv` (util-linux) ends the database with us, also after kill -9. Without it the next start takes the database over. */
const setpriv = ['/usr/bin', '/bin', '/usr/sbin'].map((folder) => join(folder, 'setpriv')).find((path) => existsSync(path));

const tied = (signal: string, command: readonly string[]): readonly string[] =>
  setpriv === undefined ? command : [setpriv, '--pdeathsig', signal, '--', ...command];

/** In a session of its own: Ctrl-C in the terminal is for the broker, which stops its database last. */
export function spawnPostgres(programs: string, account: Account, args: readonly string[], logFile: string): ChildProcess {
  const program = join(programs, 'bin/postgres');
  const log = openSync(logFile, 'a', 0o600);
  try {
    const [file = program, ...rest] = tied('INT', [program, ...args]);
    return spawn(file, rest, { ...as(account), cwd: '/', env: environment(programs), stdio: ['ignore', log, log], detached: true });
  } finally {
    closeSync(log);
  }
}

/** Runs a program to its end, in a session of its own: Ctrl-C does not cut it short. Throws with what it said. */
export async function runProgram(programs: string, account: Account, name: string, args: readonly string[]): Promise<void> {
  const [file = name, ...rest] = tied('KILL', [join(programs, 'bin', name), ...args]);
  const child = spawn(file, rest, {
    ...as(account),
    cwd: '/',
    env: environment(programs),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128 + constants.signals[signal])));
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${said.trim()}`);
}
