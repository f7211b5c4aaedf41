import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dump, load } from 'js-yaml';
import { BrokerError } from '../../../kernel/errors.ts';
import { canonicalJson } from '../../../kernel/json.ts';
import { point } from '../../../kernel/points.ts';
import type { MeshObject, ObjectId } from '../../mesh-object.ts';

const part = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const kindName = /^[A-Z][A-Za-z]{1,62}$/;

/** `<namespace>/<kind>-<name>.yaml`, of closed alphabets only: no text of a consumer ever becomes a path. */
export function fileOf({ namespace, kind, name }: ObjectId): string {
  if (!part.test(namespace) || !part.test(name) || namespace.includes('.') || !kindName.test(kind)) {
    throw new BrokerError('bad-request', `not a name for a mesh object: ${JSON.stringify({ namespace, kind, name })}`);
  }
  return `${namespace}/${kind.toLowerCase()}-${name}.yaml`;
}

/** One document. Strings are quoted, so that a YAML 1.1 parser (`on`, `0x1`, `1:30`) reads the same; checked before it is written. */
export function render(object: MeshObject): string {
  const text = dump(object, { forceQuotes: true, lineWidth: -1, noRefs: true });
  if (canonicalJson(load(text)) !== canonicalJson(object))
    throw new BrokerError('bad-request', `${object.kind} ${object.metadata.name} does not survive YAML`);
  return text;
}

/** undefined: there is none. A link or a foreign shape in its place is refused. */
export async function readObject(root: string, id: ObjectId): Promise<MeshObject | undefined> {
  const path = join(root, fileOf(id));
  await refuseLinks(root, path);
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new BrokerError('unavailable', `${fileOf(id)} cannot be read (${codeOf(error)})`, {}, error);
  }
  try {
    const value: unknown = load(await file.readFile('utf8'));
    return typeof value === 'object' && value !== null && 'metadata' in value ? (value as MeshObject) : undefined;
  } catch (error) {
    throw new BrokerError('unavailable', `${fileOf(id)} is not YAML: somebody edited it; remove or restore it`, {}, error);
  } finally {
    await file.close();
  }
}

/** Whole or not at all: temporary file, fsync, rename, fsync of the directory (G1, G2). */
export async function writeObject(root: string, id: ObjectId, text: string): Promise<void> {
  const path = join(root, fileOf(id));
  const directory = dirname(path);
  await mkdir(directory, { recursive: true });
  await refuseLinks(root, path);
  const temporary = join(root, '.git', `meshbroker-${process.pid}.tmp`);
  const file = await open(temporary, 'w', 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await point('G1');
  await rename(temporary, path);
  await point('G2');
  await syncDirectory(directory);
}
export async function removeObject(root: string, id: ObjectId): Promise<void> {
  const path = join(root, fileOf(id));
  await refuseLinks(root, path);
  await rm(path, { force: true });
}

async function refuseLinks(root: string, path: string): Promise<void> {
  const found = await lstat(dirname(path)).catch(() => undefined);
  if (found?.isSymbolicLink() === true)
    throw new BrokerError('unavailable', `${dirname(path).slice(root.length + 1)} is a symbolic link: remove it`);
}
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');
