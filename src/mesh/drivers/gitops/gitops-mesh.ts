import { access, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BrokerError } from '../../../kernel/errors.ts';
import { point } from '../../../kernel/points.ts';
import type { MeshDriver, Publication, ScopeWrite } from '../../mesh-driver.ts';
import { objectId } from '../../mesh-object.ts';
import { generationOf } from '../../prepare-scopes.ts';
import { gitIn, type Git } from './git.ts';
import { readObject, removeObject, render, writeObject } from './object-file.ts';

export interface GitopsSettings {
  readonly directory: string;
  /** Pushed to after each commit; null: the tree is followed where it is. */
  readonly remote: string | null;
  readonly branch: string;
}
/** Lets one process at a time write the tree. */
export type WithLock = <T>(work: () => Promise<T>) => Promise<T>;
/** A repeated publication is looked for in so many commits. */
const searched = 2_000;

/**
 * A directory of YAML files in a Git repository, which a GitOps agent or `kubectl apply` carries to the cluster. Done means committed, and
 * pushed where a remote is set. Files that are not ours are left alone.
 */
export function gitopsMesh(settings: GitopsSettings, withLock: WithLock): MeshDriver {
  const root = resolve(settings.directory);
  const git = gitIn(root);
  let ready: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  /** One at a time in this process, then one process at a time. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(() =>
      withLock(async () => {
        await (ready ??= prepare(root, git, settings).catch((error: unknown) => {
          ready = undefined;
          throw error;
        }));
        return work();
      }),
    );
    turn = mine.catch(() => undefined);
    return mine;
  };
  return {
    name: 'gitops',
    apply: (write, isCurrent) =>
      alone(async () => ((await isCurrent()) && (await isNewest(root, write)) ? applyFiles(root, write) : 'superseded')),
    async read(ids) {
      const found = await Promise.all(ids.map((id) => readObject(root, id)));
      return found.filter((object) => object !== undefined);
    },
    publish: (publication) => alone(() => publish(git, settings, publication)),
    check: () => check(root, git),
    close: async () => {
      await turn;
    },
  };
}

async function prepare(root: string, git: Git, { branch, remote }: GitopsSettings): Promise<void> {
  await mkdir(root, { recursive: true });
  if (!(await exists(join(root, '.git')))) await git.must('init', '-q', '-b', branch);
  await git.clearStaleLock();
  if (remote === null) return;
  const known = await git.run('remote', 'get-url', 'meshbroker');
  if (known.code !== 0) await git.must('remote', 'add', 'meshbroker', remote);
  else if (known.out.trim() !== remote) await git.must('remote', 'set-url', 'meshbroker', remote);
}

/** The second fence: what a faster writer left at the target is never overwritten. */
async function isNewest(root: string, write: ScopeWrite): Promise<boolean> {
  for (const id of [...write.put.map(objectId), ...write.remove]) {
    const there = await readObject(root, id);
    if (there !== undefined && generationOf(there) > write.revision) return false;
  }
  return true;
}
async function applyFiles(root: string, { put, remove }: ScopeWrite): Promise<'applied'> {
  for (const object of put) await writeObject(root, objectId(object), render(object));
  for (const id of remove) await removeObject(root, id);
  return 'applied';
}

async function publish(git: Git, settings: GitopsSettings, { operationId, subject }: Publication): Promise<void> {
  const known = await git.run('log', `-${searched}`, '--fixed-strings', `--grep=Broker-Op: ${operationId}`, '--format=%H', '-n', '1');
  const repeated = known.out.trim() !== '';
  await git.clearStaleLock();
  await git.must('add', '-A');
  // A repeat commits only what was written since: by this operation once more, or by others that were killed before they committed.
  if (!repeated || (await git.run('diff', '--cached', '--quiet')).code !== 0) {
    const trailer = `${repeated ? 'Broker-Op-Repeated' : 'Broker-Op'}: ${operationId}`;
    await git.must('commit', '-q', '--allow-empty', '-m', subject.replaceAll(/[\r\n]+/g, ' ').slice(0, 200), '-m', trailer);
    await point('G3');
  }
  if (settings.remote !== null) await push(git, settings.branch);
}

/** A push that is refused because others pushed: their commits first, ours on top; never by force. */
async function push(git: Git, branch: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const pushed = await git.run('push', '-q', 'meshbroker', `HEAD:refs/heads/${branch}`);
    await point('G4');
    if (pushed.code === 0) return;
    if (!/non-fast-forward|fetch first|rejected/.test(pushed.said)) {
      throw new BrokerError('unavailable', `git push failed: ${pushed.said.trim().slice(0, 500)}`);
    }
    await point('G5');
    await git.must('fetch', '-q', 'meshbroker', branch);
    const rebased = await git.run('rebase', '-q', 'FETCH_HEAD');
    if (rebased.code !== 0) {
      await git.run('rebase', '--abort');
      throw new BrokerError('unavailable', `somebody changed our files in the remote: ${rebased.said.trim().slice(0, 300)}`);
    }
  }
  throw new BrokerError('unavailable', 'others keep pushing to the same branch');
}

async function check(root: string, git: Git): ReturnType<MeshDriver['check']> {
  if (!(await exists(root))) return { ok: true };
  const { code, said } = await git.run('rev-parse', '--git-dir');
  if (code === 0 || !(await exists(join(root, '.git')))) return { ok: true };
  return { ok: false, problem: `the Git repository in ${root} cannot be used: ${said.trim().slice(0, 300)}` };
}
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
