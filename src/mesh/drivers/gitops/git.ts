import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { BrokerError } from '../../../kernel/errors.ts';

/** How a git command ended. */
export interface GitResult {
  readonly code: number;
  readonly out: string;
  readonly said: string;
}
export interface GitInput {
  readonly input?: string;
  /** Another index than the tree's own. */
  readonly indexFile?: string;
  /** Default 60 s. */
  readonly timeoutMs?: number;
}
export interface Git {
  /** Never throws for what git itself refuses. */
  run(args: readonly string[], input?: GitInput): Promise<GitResult>;
  /** What git printed. Throws BrokerError `unavailable` with git's own words. */
  must(args: readonly string[], input?: GitInput): Promise<string>;
}
/** Longer than any commit of a tree of objects takes; a remote that does not answer ends here too. */
const longestMs = 60_000;
/** Nothing of the user's or the machine's configuration changes what is written; no prompt ever waits. */
const settings = [
  ['user.name', 'Meshbroker'],
  ['user.email', 'meshbroker@localhost'],
  ['commit.gpgsign', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['core.fsync', 'committed,reference'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
].flatMap(([name, value]) => ['-c', `${name}=${value}`]);
/** Said by `env`, because rooms do not read the process's environment. */
const environment = [
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE'].flatMap((name) => ['-u', name]),
  ...['GIT_CONFIG_NOSYSTEM=1', 'GIT_CONFIG_GLOBAL=/dev/null', 'GIT_TERMINAL_PROMPT=0', 'GIT_EDITOR=:', 'LC_ALL=C'],
];

/** Credentials may stand in a remote's URL. */
const withoutSecrets = (said: string): string => said.replaceAll(/\/\/[^/\s@]+@/g, '//');
/** What git said, for a message: without its hints, and on one line. */
export const inOneLine = (said: string): string =>
  said
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'))
    .join('; ')
    .slice(0, 500);
/** Node says ENOENT of the program where it is the directory that is missing. */
function notStarted(directory: string, error: Error): BrokerError {
  const missing = existsSync(directory) ? 'install it' : `there is no directory ${directory}`;
  const why = 'code' in error && error.code === 'ENOTDIR' ? `${directory} is no directory` : missing;
  return new BrokerError('unavailable', `git cannot be started: ${why}`, {}, error);
}

export function gitIn(directory: string): Git {
  const run = (args: readonly string[], { input = '', indexFile, timeoutMs = longestMs }: GitInput = {}): Promise<GitResult> =>
    new Promise((resolve, reject) => {
      const more = [...(indexFile === undefined ? [] : [`GIT_INDEX_FILE=${indexFile}`])];
      const child = spawn('env', [...environment, ...more, 'git', ...settings, ...args], { cwd: directory, timeout: timeoutMs });
      let out = '';
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      child.once('error', (error) => reject(notStarted(directory, error)));
      child.once('close', (code) => {
        const late = code === null ? `no answer within ${timeoutMs / 1_000} s` : '';
        resolve({ code: code ?? 1, out, said: withoutSecrets(said) || late });
      });
      // A git that ends without reading says so by its code.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  return {
    run,
    async must(args, input) {
      const { code, out, said } = await run(args, input);
      if (code !== 0) throw new BrokerError('unavailable', `git ${args[0] ?? ''} failed: ${inOneLine(said)}`);
      return out;
    },
  };
}
