import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BrokerError } from '../../kernel/errors.ts';
import type { Random } from '../../kernel/random.ts';

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
const secretBytes = 32;

/** Mode 0600 from its first byte on, flushed to the disk. */
async function writePart(path: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}`;
  const file = await open(part, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return part;
}

/** The 32 bytes of MESHBROKER_SECRET_FILE; undefined where the file is missing. */
export async function readSecret(path: string): Promise<Buffer | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new BrokerError('internal', `MESHBROKER_SECRET_FILE ${path} cannot be read: let the broker's user read it`, {}, error);
  }
  if (bytes.length !== secretBytes)
    throw new BrokerError(
      'internal',
      `MESHBROKER_SECRET_FILE ${path} has ${bytes.length} bytes instead of ${secretBytes}: restore the right file`,
    );
  return bytes;
}
/** Makes the secret unless it is there; of several processes at once all get the same one. */
export async function makeSecret(path: string, random: Random): Promise<Buffer> {
  const part = await writePart(path, random.bytes(secretBytes));
  try {
    await link(part, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(part);
  }
  const made = await readSecret(path);
  if (made === undefined) throw new BrokerError('internal', `${path} was removed while the broker started`);
  return made;
}

/** What the first start made up, for the person who started it. Mode 0600. */
export interface FirstCredentials {
  readonly platform?: { readonly user: string; readonly password: string };
  readonly adminToken?: string;
}
export const credentialsFile = (dataDirectory: string): string => join(dataDirectory, 'credentials.json');
export const readCredentials = (dataDirectory: string): Promise<FirstCredentials> => readJson(credentialsFile(dataDirectory));
export const writeCredentials = (dataDirectory: string, credentials: FirstCredentials): Promise<void> =>
  writeJson(credentialsFile(dataDirectory), credentials);

async function readJson<T extends object>(path: string): Promise<T | Partial<T>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (isMissing(error)) return {};
    const fix = error instanceof SyntaxError ? 'it is no JSON: restore or remove it' : "let the broker's user read it";
    throw new BrokerError('internal', `${path} cannot be read: ${fix}`, {}, error);
  }
}
/** Whole or not at all, mode 0600. */
export async function writeJson(path: string, content: object): Promise<void> {
  const part = await writePart(path, `${JSON.stringify(content, null, 2)}\n`);
  await rename(part, path);
}
