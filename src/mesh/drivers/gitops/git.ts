import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerError } from '../../../kernel/errors.ts';

/** How a git command ended. */
export interface GitResult {
  readonly code: number;
  readonly out: string;
  readonly said: string;
}
export interface Git {
  /** Never throws for what git itself refuses. */
  run(...args: readonly string[]): Promise<GitResult>;
  /** Throws BrokerError `unavailable` with git's own words. */
  must(...args: readonly string[]): Promise<string>;
  /** A killed git leaves its lock behind; only who holds the writers' lock may call this. */
  clearStaleLock(): Promise<void>;
}
const timeoutMs = 60_000;
/** Nothing of the user's or the machine's configuration changes what is written; no prompt ever waits. */
const settings = [
  ['user.name', 'Meshbroker'],
  ['user.email', 'meshbroker@localhost'],
  ['commit.gpgsign', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['gc.auto', '0'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);
/** Said by `env`, because rooms do not read the process's environment. */
const environment = [
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE'].flatMap((name) => ['-u', name]),
  ...['GIT_CONFIG_NOSYSTEM=1', 'GIT_CONFIG_GLOBAL=/dev/null', 'GIT_TERMINAL_PROMPT=0', 'LC_ALL=C'],
];

export function gitIn(directory: string): Git {
  const run = (...args: readonly string[]): Promise<GitResult> =>
    new Promise((resolve, reject) => {
      const child = spawn('env', [...environment, 'git', ...settings, ...args], { cwd: directory, timeout: timeoutMs });
      let out = '';
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
      child.once('error', (error) => reject(new BrokerError('unavailable', 'git cannot be started: install it', {}, error)));
      child.once('close', (code) => resolve({ code: code ?? 1, out, said }));
    });
  return {
    run,
    async must(...args) {
      const { code, out, said } = await run(...args);
      if (code !== 0) throw new BrokerError('unavailable', `git ${args[0] ?? ''} failed: ${said.trim().slice(0, 500)}`);
      return out;
    },
    clearStaleLock: () => rm(join(directory, '.git/index.lock'), { force: true }),
  };
}
