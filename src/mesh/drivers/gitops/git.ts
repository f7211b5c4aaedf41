import { spawn } from 'node:child_process';
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
}
export interface Git {
  /** Never throws for what git itself refuses. */
  run(args: readonly string[], input?: GitInput): Promise<GitResult>;
  /** What git printed. Throws BrokerError `unavailable` with git's own words. */
  must(args: readonly string[], input?: GitInput): Promise<string>;
}
/** Longer than any commit of a tree of objects takes; a remote that does not answer ends here too. */
const timeoutMs = 60_000;
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

export function gitIn(directory: string): Git {
  const run = (args: readonly string[], { input = '', indexFile }: GitInput = {}): Promise<GitResult> =>
    new Promise((resolve, reject) => {
      const more = [...(indexFile === undefined ? [] : [`GIT_INDEX_FILE=${indexFile}`])];
      const child = spawn('env', [...environment, ...more, 'git', ...settings, ...args], { cwd: directory, timeout: timeoutMs });
      let out = '';
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      child.once('error', (error) => reject(new BrokerError('unavailable', 'git cannot be started: install it', {}, error)));
      child.once('close', (code) => resolve({ code: code ?? 1, out, said: withoutSecrets(said) }));
      // A git that ends without reading says so by its code.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
  return {
    run,
    async must(args, input) {
      const { code, out, said } = await run(args, input);
      if (code !== 0) throw new BrokerError('unavailable', `git ${args[0] ?? ''} failed: ${said.trim().slice(0, 500)}`);
      return out;
    },
  };
}
