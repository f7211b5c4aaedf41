import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Far longer than git holds a lock in a tree of objects. */
const patienceMs = 2_000;
const pauseMs = 50;

/**
 * A killed git leaves its lock files behind; a git whose broker was killed may still be at work for a moment. A lock that stays the same
 * for two seconds belongs to nobody. Only who holds the writers' lock may call this.
 */
export async function clearStaleLocks(root: string, branch: string): Promise<void> {
  for (const name of ['index.lock', 'HEAD.lock', `refs/heads/${branch}.lock`, 'packed-refs.lock', 'config.lock']) {
    await clearStaleLock(join(root, '.git', name));
  }
}
async function clearStaleLock(path: string): Promise<void> {
  const first = await marks(path);
  for (let waited = 0; first !== undefined && waited < patienceMs; waited += pauseMs) {
    await wait(pauseMs);
    if ((await marks(path)) !== first) return clearStaleLock(path);
  }
  if (first !== undefined) await rm(path, { force: true });
}
const marks = (path: string): Promise<string | undefined> =>
  stat(path).then(
    ({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`,
    () => undefined,
  );
