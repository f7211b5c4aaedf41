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

/** Whether commits reach the remote. A failed push tells until one succeeds: a remote may answer questions and refuse commits. */
export interface RemoteHealth {
  pushed(): void;
  failed(error: unknown): void;
  /**
   * Asked as often as you like: the remote is asked at most once per `checkMs`, and only the first answer is waited for. What could not be
   * pushed is pushed again instead, for there may be no operation left that would.
   */
  problem(): Promise<string | undefined>;
}
export interface RemoteSettings {
  readonly directory: string;
  readonly remote: string;
  readonly checkMs: number;
  readonly pushAgain: () => Promise<void>;
}
/** A readiness check is not worth the patience of a push. */
const remoteTimeoutMs = 10_000;

export function remoteHealth({ directory, remote, checkMs, pushAgain }: RemoteSettings): RemoteHealth {
  const url = remote.startsWith('.') ? resolve(directory, remote) : remote;
  let pushProblem: string | undefined;
  let answer: Promise<string | undefined> | undefined;
  let underWay = false;
  let lookedAt = 0;
  const pushed = (): void => {
    pushProblem = undefined;
    answer = Promise.resolve(undefined);
    lookedAt = performance.now();
  };
  const failed = (error: unknown): void => {
    pushProblem = `the last commit did not reach the remote: ${error instanceof Error ? error.message : String(error)}`;
    lookedAt = performance.now();
  };
  const ask = async (): Promise<string | undefined> => {
    lookedAt = performance.now();
    const asked = gitIn(await nearest(directory)).run(['ls-remote', '--heads', url], { timeoutMs: remoteTimeoutMs });
    const { code, said } = await asked.catch(gitMissing);
    return code === 0 ? undefined : `the remote of the tree cannot be reached: ${inOneLine(said)}`;
  };
  const lookAgain = async (): Promise<void> => {
    underWay = true;
    if (pushProblem === undefined) answer = Promise.resolve(await ask());
    else await pushAgain().then(pushed, failed);
    underWay = false;
  };
  return {
    pushed,
    failed,
    async problem() {
      if (!underWay && performance.now() - lookedAt >= checkMs && (answer ?? pushProblem) !== undefined) void lookAgain();
      if (pushProblem !== undefined) return pushProblem;
      return (answer ??= ask());
    },
  };
}
const gitMissing = (error: unknown): Pick<GitResult, 'code' | 'said'> => ({
  code: 1,
  said: error instanceof BrokerError ? error.message : 'git cannot be started',
});
