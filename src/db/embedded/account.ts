import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BrokerError } from '../../kernel/errors.ts';

/** The system user that the database runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** Whether this process must change to that user. */
  readonly other: boolean;
}

export const ownAccount = (): Account => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, other: false });

/** PostgreSQL refuses to run as root. `nobody` is on every system, and PostgreSQL wants a user that has a name. */
export async function unprivilegedAccount(): Promise<Account> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined)
    throw new BrokerError(
      'internal',
      'the embedded PostgreSQL cannot run as root, and there is no user nobody: start as another user, or set DATABASE_URL',
    );
  return { uid: Number(uid), gid: Number(gid), other: true };
}

/** Whether the account may pass through every directory down to `path` (mode bits only). */
export async function canEnter(path: string, { uid, gid, other }: Account): Promise<boolean> {
  if (!other) return true;
  for (let directory = path; ; directory = dirname(directory)) {
    const entry = await stat(directory);
    const bit = entry.uid === uid ? 0o100 : entry.gid === gid ? 0o010 : 0o001;
    if ((entry.mode & bit) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}
