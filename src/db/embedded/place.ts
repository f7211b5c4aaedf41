import { createHash } from 'node:crypto';
import { chmod, lchown, lstat, mkdir, realpath, stat } from 'node:fs/promises';
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

/** The directory and the one that stands in for it, and which of them holds a database. */
async function candidates(root: string): Promise<{ readonly elsewhere: string; readonly found: Found | undefined }> {
  const elsewhere = join(systemFolder, short(root));
  const owners = await Promise.all([root, elsewhere].map(async (each) => ({ root: each, owner: await ownerOf(join(each, 'data')) })));
  const found = owners.flatMap(({ root: each, owner }) => (owner === undefined ? [] : [{ root: each, owner }]))[0];
  return { elsewhere, found };
}
interface Found {
  readonly root: string;
  readonly owner: { readonly uid: number; readonly gid: number };
}
/** Whether a database was made for the directory before. */
export async function embeddedExists(directory: string): Promise<boolean> {
  const root = await realpath(directory).catch(() => undefined);
  return root !== undefined && (await candidates(root)).found !== undefined;
}

/**
 * `<directory>` itself; where the account that the database must run as cannot enter it (a tree of root's), a directory of its own
 * below /var/lib/meshbroker, named by a hash of the directory, so that two checkouts never share one. What exists is found again.
 */
export async function choosePlace(directory: string): Promise<Place> {
  await mkdir(directory, { recursive: true });
  const root = await realpath(directory);
  const own = ownAccount();
  const { elsewhere, found } = await candidates(root);
  if (own.uid !== 0) {
    if (found !== undefined && found.owner.uid !== own.uid)
      throw new BrokerError('internal', `${found.root} belongs to user ${found.owner.uid}: start as that user, or set MESHBROKER_DATA_DIR`);
    return prepare(root, own);
  }
  const account = found === undefined ? await unprivilegedAccount() : { uid: found.owner.uid, gid: found.owner.gid, other: true };
  if (found !== undefined) return prepare(found.root, account);
  return prepare((await canEnter(dirname(root), account)) ? root : elsewhere, account);
}

async function prepare(root: string, account: Account): Promise<Place> {
  const socket = Buffer.byteLength(root) <= longestSocketFolder ? join(root, 'run') : join(tmpdir(), `meshbroker-${short(root)}`);
  await ownFolder(root, 0o755, account);
  await ownFolder(socket, 0o700, account);
  return { account, root, data: join(root, 'data'), socket };
}
/** Never follows a link and never takes over what a third user made: the folder may lie in /tmp. */
async function ownFolder(folder: string, mode: number, account: Account): Promise<void> {
  await mkdir(folder, { recursive: true, mode });
  const entry = await lstat(folder);
  const own = process.getuid?.() ?? 0;
  if (!entry.isDirectory() || ![own, account.uid].includes(entry.uid))
    throw new BrokerError(
      'internal',
      `${folder} was made by another user: remove it, or set MESHBROKER_DATA_DIR to another (or shorter) path`,
    );
  if (account.other) await lchown(folder, account.uid, account.gid);
  if ((entry.mode & 0o777) !== mode) await chmod(folder, mode);
}
