import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokerError } from '../../../kernel/errors.ts';
import { point } from '../../../kernel/points.ts';
import { inOneLine, type Git } from './git.ts';
import { isObjectFile } from './object-file.ts';

export const remoteName = 'meshbroker';
/** Others may push as often; after so many lost races the operation is tried again later. */
const attempts = 5;

/**
 * Brings the tree's commits to the remote. An answer that was lost is looked up (G4); where others pushed meanwhile, our commits are made
 * again on top of theirs, our own files only (G5); never by force. Repeatable.
 */
export async function push(root: string, git: Git, branch: string): Promise<void> {
  const remote = `refs/remotes/${remoteName}/${branch}`;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const pushed = await git.run(['push', '-q', remoteName, `HEAD:refs/heads/${branch}`]);
    await point('G4');
    if (pushed.code === 0) return;
    const fetched = await git.run(['fetch', '-q', remoteName, `+refs/heads/${branch}:${remote}`]);
    if (fetched.code !== 0) throw failed(pushed.said || fetched.said);
    if (await isAncestor(git, 'HEAD', remote)) return;
    if (await isAncestor(git, remote, 'HEAD')) throw failed(pushed.said);
    await point('G5');
    await replay(root, git, remote);
  }
  throw new BrokerError('unavailable', 'others keep pushing to the same branch', { retryAfterSeconds: 1 });
}
const failed = (said: string): BrokerError => new BrokerError('unavailable', `git push failed: ${inOneLine(said)}`);
const isAncestor = async (git: Git, older: string, newer: string): Promise<boolean> =>
  (await git.run(['merge-base', '--is-ancestor', older, newer])).code === 0;

/** Each of our commits again, on top of the remote's. The tree is brought there before the branch moves, so that a kill between loses nothing. */
async function replay(root: string, git: Git, remote: string): Promise<void> {
  const indexFile = join(root, '.git', 'meshbroker-replay-index');
  await rm(indexFile, { force: true });
  let parent = (await git.must(['rev-parse', remote])).trim();
  const theirs = new Set((await git.must(['ls-tree', '-r', '-z', '--name-only', parent])).split('\0'));
  const commits = (await git.must(['rev-list', '--reverse', '--no-merges', `${remote}..HEAD`])).split('\n').filter((id) => id !== '');
  await git.must(['read-tree', parent], { indexFile });
  for (const commit of commits) {
    const changes = await changesOf(git, commit);
    const ours = changes.filter(({ path }) => isObjectFile(path) || !theirs.has(path));
    await git.must(['update-index', '-z', '--index-info'], { indexFile, input: ours.map(indexLine).join('') });
    const tree = (await git.must(['write-tree'], { indexFile })).trim();
    const message = await git.must(['log', '-1', '--format=%B', commit]);
    parent = (await git.must(['commit-tree', tree, '-p', parent, '-F', '-'], { input: `${message.trimEnd()}\n` })).trim();
  }
  await git.must(['read-tree', '-m', '-u', 'HEAD', parent]);
  await git.must(['update-ref', 'HEAD', parent]);
  await rm(indexFile, { force: true });
}
interface Change {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}
async function changesOf(git: Git, commit: string): Promise<readonly Change[]> {
  const raw = await git.must(['diff-tree', '-r', '--root', '--no-commit-id', '--raw', '--no-abbrev', '--no-renames', '-z', commit]);
  const parts = raw.split('\0');
  const changes: Change[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [, mode = '', , id = ''] = (parts[index] ?? '').split(' ');
    changes.push({ mode, id, path: parts[index + 1] ?? '' });
  }
  return changes;
}
/** Mode 0 takes the path away. */
const indexLine = ({ mode, id, path }: Change): string => `${Number(mode) === 0 ? '0' : mode} ${id}\t${path}\0`;
