import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BrokerError } from '../../../kernel/errors.ts';
import { gitIn, inOneLine, type Git, type GitResult } from './git.ts';

/** What is wrong with the directory and the repository in it, with the fix. A directory that is still to be made is fine. */
export async function treeProblem(directory: string, git: Git): Promise<string | undefined> {
  const path = await nearest(directory);
  if (!(await isDirectory(path))) return `${path} is a file: remove it, or set MESHBROKER_GITOPS_DIR to a directory`;
  if (!(await works(access(path, constants.W_OK))))
    return `${directory} cannot be written: let the broker's user write it, or set MESHBROKER_GITOPS_DIR`;
  if (path !== directory) return undefined;
  const { code, said } = await git.run(['rev-parse', '--git-dir']).catch(gitMissing);
  if (code === 0 || said.includes('not a git repository')) return undefined;
  return `the Git repository in ${directory} cannot be used: ${inOneLine(said)}`;
}
/** The path itself, or the first above it that there is. */
const nearest = async (path: string): Promise<string> =>
  path === dirname(path) || (await works(stat(path))) ? path : nearest(dirname(path));
const isDirectory = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() ?? true;
const works = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/**
 * Whether commits reach the remote. A failed push tells until the remote has what is here: it may answer questions and refuse commits.
 */
export interface RemoteHealth {
  pushed(): void;
  failed(error: unknown): void;
  /** Asked as often as you like: the remote is asked at most once per `checkMs`, and only the first answer is waited for. */
  problem(): Promise<string | undefined>;
}
/** A readiness check is not worth the patience of a push. */
const remoteTimeoutMs = 10_000;

export function remoteHealth(
  directory: string,
  { remote, branch }: { readonly remote: string; readonly branch: string },
  checkMs: number,
): RemoteHealth {
  const url = remote.startsWith('.') ? resolve(directory, remote) : remote;
  let pushProblem: string | undefined;
  let answer: Promise<string | undefined> | undefined;
  let asking = false;
  let askedAt = 0;
  const ask = async (): Promise<string | undefined> => {
    asking = true;
    askedAt = performance.now();
    const git = gitIn(await nearest(directory));
    const asked = git.run(['ls-remote', '--heads', url, `refs/heads/${branch}`], { timeoutMs: remoteTimeoutMs });
    const { code, said, out } = await asked.catch(gitMissing);
    // Another replica of the same tree may have pushed what we could not.
    if (pushProblem !== undefined && out !== '' && out.startsWith(await headOf(gitIn(directory)))) pushProblem = undefined;
    asking = false;
    return code === 0 ? undefined : `the remote of the tree cannot be reached: ${inOneLine(said)}`;
  };
  return {
    pushed() {
      pushProblem = undefined;
      answer = Promise.resolve(undefined);
      askedAt = performance.now();
    },
    failed(error) {
      pushProblem = `the last commit did not reach the remote: ${error instanceof Error ? error.message : String(error)}`;
    },
    async problem() {
      if (answer === undefined) answer = ask();
      else if (!asking && performance.now() - askedAt >= checkMs) void ask().then((found) => (answer = Promise.resolve(found)));
      return pushProblem ?? answer;
    },
  };
}
/** Never '': an empty answer of the remote must not look like ours. */
const headOf = async (git: Git): Promise<string> => {
  const { code, out } = await git.run(['rev-parse', '-q', '--verify', 'HEAD']).catch(gitMissing);
  return code === 0 ? out.trim() : 'none';
};
const gitMissing = (error: unknown): GitResult => ({
  code: 1,
  out: '',
  said: error instanceof BrokerError ? error.message : 'git cannot be started',
});
