import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BrokerError } from '../../kernel/errors.ts';
import type { Account } from './account.ts';
import { canEnter, ownAccount, unprivilegedAccount } from './account.ts';

/** Where one embedded database lives, and as whom it runs. */
export interface Place {
  readonly account: Account;
  /** Holds data, socket, log. */
  readonly root: string;
  readonly data: string;
  readonly socket: string;
}
const systemFolder = '/var/lib/meshbroker';
/** sun_path has 108 bytes on Linux and 104 on macOS; PostgreSQL adds a name and a lock file beside. */
const longestSocketFolder = 80;
const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

async function ownerOf(path: string): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  return stat(path).catch(() => undefined);
}

/**
 * `<directory>` itself; where the account that the database must run as cannot enter it (a tree of root's), a directory of its own
 * below /var/lib/meshbroker, named by a hash of the directory, so that two checkouts never share one. What exists is found again.
 */
export async function choosePlace(directory: string): Promise<Place> {
  await mkdir(directory, { recursive: true });
  const root = await realpath(directory);
  const elsewhere = join(systemFolder, short(root));
  const own = ownAccount();
  const there = [root, elsewhere].map(async (each) => ({ root: each, owner: await ownerOf(join(each, 'data')) }));
  const found = (await Promise.all(there)).find(({ owner }) => owner !== undefined);
  if (own.uid !== 0) {
    if (found?.owner !== undefined && found.owner.uid !== own.uid)
      throw new BrokerError('internal', `${found.root} belongs to user ${found.owner.uid}: start as that user, or set MESHBROKER_DATA_DIR`);
    return prepare(root, own);
  }
  const account = found?.owner === undefined ? await unprivilegedAccount() : { uid: found.owner.uid, gid: found.owner.gid, other: true };
  if (found !== undefined) return prepare(found.root, account);
  return prepare((await canEnter(dirname(root), account)) ? root : elsewhere, account);
}

async function prepare(root: string, account: Account): Promise<Place> {
  const socket = Buffer.byteLength(root) <= longestSocketFolder ? join(root, 'run') : join(tmpdir(), `meshbroker-${short(root)}`);
  for (const folder of [root, socket]) {
    await mkdir(folder, { recursive: true, mode: folder === root ? 0o755 : 0o700 });
    if (account.other) await chown(folder, account.uid, account.gid);
  }
  const owner = await ownerOf(socket);
  if (owner?.uid !== account.uid)
    throw new BrokerError('internal', `${socket} belongs to another user: remove it, or set MESHBROKER_DATA_DIR to a shorter path`);
  await chmod(socket, 0o700);
  return { account, root, data: join(root, 'data'), socket };
}
