import { readFile } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';

const offeringFile = /[.]ya?ml$/;
/** Beside offering files, as in a ConfigMap: descriptions that offerings name under `apis`. */
const apiFile = /[.](?:openapi|asyncapi)[.]ya?ml$/;
export const largestFile = 16 * 1_048_576;
export const largestApiFile = 1_048_576;
const statsAtOnce = 64;

/** Names of the offering files of a directory, sorted. Dot files, descriptions and sub-directories are none. */
export async function offeringFileNames(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && offeringFile.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.') && !apiFile.test(name))
    .sort();
}
/** Changes whenever the file's content may have changed; follows symbolic links (ConfigMaps swap one of them). */
export async function fileStamp(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch {
    return 'missing';
  }
}
/** Stamps of many files, a bounded number at a time. */
export async function fileStamps(directory: string, names: readonly string[]): Promise<readonly string[]> {
  const stamps: string[] = [];
  for (let at = 0; at < names.length; at += statsAtOnce) {
    stamps.push(...(await Promise.all(names.slice(at, at + statsAtOnce).map((name) => fileStamp(join(directory, name))))));
  }
  return stamps;
}
const sizeIn = (stamp: string): number => Number(stamp.split(':')[2] ?? 0);
/** For many small files half as much work as the one of node:fs/promises. */
const readBytes = promisify(readFile);
/** The text of a file with this stamp, or why it cannot be had. */
export async function readText(
  path: string,
  stamp: string,
  largest: number,
): Promise<{ readonly text: string } | { readonly why: string }> {
  if (sizeIn(stamp) > largest) return { why: `is larger than ${largest / 1_048_576} MiB` };
  try {
    const bytes = await readBytes(path);
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return { why: error instanceof TypeError ? 'is not UTF-8' : `cannot be read (${codeOf(error)})` };
  }
}
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');
/** Whether a symbolic link leads out of the directory: what is served to everybody must not be read from elsewhere. */
export async function staysWithin(directory: string, path: string): Promise<boolean> {
  try {
    const [root, target] = await Promise.all([realpath(directory), realpath(path)]);
    return target.startsWith(root + sep);
  } catch {
    return true; // missing: told by readText
  }
}
