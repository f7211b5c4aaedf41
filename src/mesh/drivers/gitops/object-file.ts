import { constants } from 'node:fs';
import { open, realpath, lstat, mkdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { BrokerError } from '../../../kernel/errors.ts';
import { isJsonObject } from '../../../kernel/json.ts';
import { point } from '../../../kernel/points.ts';
import { objectKinds } from '../../object-kinds.ts';
import type { MeshObject, ObjectId } from '../../mesh-object.ts';
import { MeshRefusal } from '../../mesh-refusal.ts';

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** A DNS subdomain as Kubernetes checks it: only the whole is limited, not its labels. */
const dnsName = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** `<namespace>/<kind>-<name>.yaml`, of closed alphabets only: no text of a consumer ever becomes a path. */
export function fileOf({ namespace, kind, name }: ObjectId): string {
  if (!dnsLabel.test(namespace) || !dnsName.test(name) || !Object.hasOwn(objectKinds, kind)) {
    throw new MeshRefusal(`not a name for a mesh object: ${JSON.stringify({ namespace, kind, name })}`);
  }
  return `${namespace}/${kind.toLowerCase()}-${name}.yaml`;
}
const kindWords = new Set(Object.keys(objectKinds).map((kind) => kind.toLowerCase()));
/** Whether a path of the tree is one that we write. */
export function isObjectFile(path: string): boolean {
  const [, namespace = '', kind = '', name = ''] = /^([^/]+)\/([a-z]+)-([^/]+)\.yaml$/.exec(path) ?? [];
  return dnsLabel.test(namespace) && kindWords.has(kind) && dnsName.test(name);
}
/** undefined: there is none. A link or a foreign shape in its place is refused. */
export async function readObject(root: string, id: ObjectId): Promise<MeshObject | undefined> {
  const text = await readText(root, id);
  return text === undefined ? undefined : parseObject(text, id);
}
export function parseObject(text: string, id: ObjectId): MeshObject | undefined {
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    throw new BrokerError('unavailable', `${fileOf(id)} is not YAML: somebody edited it; remove or restore it`, {}, error);
  }
  return isJsonObject(value) && isJsonObject(value['metadata']) ? (value as unknown as MeshObject) : undefined;
}
export async function readText(root: string, id: ObjectId): Promise<string | undefined> {
  const name = fileOf(id);
  let file: FileHandle;
  try {
    await refuseLink(root, dirname(name));
    file = await open(join(root, name), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'ELOOP') throw linkFound(name);
    throw error instanceof BrokerError ? error : new BrokerError('unavailable', `${name} cannot be read (${codeOf(error)})`, {}, error);
  }
  try {
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
/**
 * Whole or not at all: a temporary file where Git does not look, fsync, rename (G1, G2). The caller makes the rename last with
 * `syncDirectories`.
 */
export async function writeText(root: string, id: ObjectId, text: string): Promise<void> {
  const name = fileOf(id);
  const directory = join(root, dirname(name));
  await mkdir(directory, { recursive: true });
  await refuseLink(root, dirname(name));
  const temporary = join(root, '.git', 'meshbroker-object.tmp');
  await rm(temporary, { force: true });
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await point('G1');
  await rename(temporary, join(root, name));
  await point('G2');
}
export async function removeFile(root: string, id: ObjectId): Promise<void> {
  const name = fileOf(id);
  await refuseLink(root, dirname(name)).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await rm(join(root, name), { force: true });
}
export async function syncDirectories(root: string, ids: readonly ObjectId[]): Promise<void> {
  for (const directory of ['.', ...new Set(ids.map((id) => dirname(fileOf(id))))]) {
    const handle = await open(join(root, directory), constants.O_RDONLY).catch(() => undefined);
    try {
      await handle?.sync();
    } finally {
      await handle?.close();
    }
  }
}
const linkFound = (name: string): BrokerError =>
  new BrokerError('unavailable', `${name} is a symbolic link: remove it, the tree is written nowhere else`);

/** A link planted in the tree would take our files out of it. `root` is a real path already. */
async function refuseLink(root: string, directory: string): Promise<void> {
  const path = join(root, directory);
  const found = await lstat(path);
  if (!found.isDirectory() || (await realpath(path)) !== path) throw linkFound(directory);
}
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');
