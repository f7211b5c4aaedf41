import { access, mkdir, readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BrokerError } from '../../../kernel/errors.ts';
import { point } from '../../../kernel/points.ts';
import type { Publication } from '../../mesh-driver.ts';
import type { Git } from './git.ts';
import { clearStaleLocks } from './locks.ts';
import { push, remoteName } from './push.ts';

export interface GitopsSettings {
  readonly directory: string;
  /** Pushed to after each commit; null: the tree is followed where it is. */
  readonly remote: string | null;
  readonly branch: string;
}
export interface Repository {
  /** Makes directory and repository when missing; the directory's real path. Repeatable. */
  prepare(): Promise<string>;
  /** One commit per operation; a repeat is found by its trailer and commits only what was written since. */
  publish(publication: Publication): Promise<void>;
  /** What is committed and did not reach the remote. Repeatable. */
  push(): Promise<void>;
}
/** A repeated publication is looked for in so many commits. */
const searched = 2_000;
/** Objects are packed now and then; not at each commit. */
const commitsPerPack = 500;

/** All methods only under the writers' lock. */
export function treeRepository(git: Git, settings: GitopsSettings): Repository {
  const { branch, remote } = settings;
  const root = resolve(settings.directory);
  const published = publishedOperations(root, git);
  let commits = 0;
  const pushAll = async (): Promise<void> => {
    if (remote !== null) await push(root, git, branch);
  };
  return {
    push: pushAll,
    async prepare() {
      await mkdir(root, { recursive: true }).catch((error: unknown) => {
        throw new BrokerError('unavailable', `${root} cannot be made: set MESHBROKER_GITOPS_DIR to a directory`, {}, error);
      });
      if (!(await exists(join(root, '.git')))) await git.must(['init', '-q', '-b', branch]);
      await clearStaleLocks(root, branch);
      if (remote !== null) await nameRemote(git, remote);
      return realpath(root);
    },
    async publish(publication) {
      await clearStaleLocks(root, branch);
      await commit(git, published, publication);
      commits += 1;
      if (commits % commitsPerPack === 0) await git.run(['-c', 'gc.auto=2000', '-c', 'gc.autoDetach=false', 'gc', '--auto', '-q']);
      await pushAll();
    },
  };
}
async function nameRemote(git: Git, url: string): Promise<void> {
  const known = await git.run(['remote', 'get-url', remoteName]);
  if (known.code !== 0) await git.must(['remote', 'add', remoteName, url]);
  else if (known.out.trim() !== url) await git.must(['remote', 'set-url', remoteName, url]);
}
async function commit(git: Git, published: PublishedOperations, { operationId, subject }: Publication): Promise<void> {
  const repeated = await published.has(operationId);
  await git.must(['add', '-A']);
  // A repeat commits what was written since: by this operation once more, or by others that were killed before they committed.
  if (repeated && (await git.run(['diff', '--cached', '--quiet'])).code === 0) return;
  const trailer = `${repeated ? 'Broker-Op-Repeated' : 'Broker-Op'}: ${oneLine(operationId)}`;
  await git.must(['commit', '-q', '--allow-empty', '--cleanup=verbatim', '-F', '-'], { input: `${oneLine(subject)}\n\n${trailer}\n` });
  await published.add(operationId);
  await point('G3');
}
/** A subject never adds a line, and so no trailer. */
const oneLine = (text: string): string =>
  text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 200) || '-';

interface PublishedOperations {
  has(operationId: string): Promise<boolean>;
  /** After our own commit. */
  add(operationId: string): Promise<void>;
}
/** The operations of the last commits. History is read again only when somebody else moved the branch. */
function publishedOperations(root: string, git: Git): PublishedOperations {
  let head = '';
  let operations = new Set<string>();
  return {
    async has(operationId) {
      const now = await headOf(root, git);
      if (now === '' || now !== head) {
        operations = await recentOperations(git);
        head = now;
      }
      return operations.has(oneLine(operationId));
    },
    async add(operationId) {
      head = await headOf(root, git);
      operations.add(oneLine(operationId));
      if (operations.size > 2 * searched) head = '';
    },
  };
}
async function recentOperations(git: Git): Promise<Set<string>> {
  const { out } = await git.run(['log', `--max-count=${searched}`, '--format=%(trailers:key=Broker-Op,valueonly)']);
  return new Set(out.split('\n').filter((line) => line !== ''));
}
/** '' where it cannot be told from the files: then git is asked. */
async function headOf(root: string, git: Git): Promise<string> {
  const text = async (name: string): Promise<string> => (await readFile(join(root, '.git', name), 'utf8').catch(() => '')).trim();
  const name = /^ref: (refs\/heads\/[^\s]+)$/.exec(await text('HEAD'))?.[1];
  const direct = name === undefined ? '' : await text(name);
  return direct === '' ? (await git.run(['rev-parse', '-q', '--verify', 'HEAD'])).out.trim() : direct;
}
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
