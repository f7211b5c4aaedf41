import { resolve } from 'node:path';
import type { MeshDriver, ScopeWrite } from '../../mesh-driver.ts';
import { objectId, type ObjectId } from '../../mesh-object.ts';
import { objectYaml } from '../../object-yaml.ts';
import { generationOf } from '../../prepare-scopes.ts';
import { gitIn } from './git.ts';
import { remoteHealth, treeProblem } from './health.ts';
import { parseObject, readObject, readText, removeFile, syncDirectories, writeText } from './object-file.ts';
import { treeRepository, type GitopsSettings } from './repository.ts';

export type { GitopsSettings } from './repository.ts';
/** Lets one process at a time write the tree. */
export type WithLock = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A directory of YAML files in a Git repository, which a GitOps agent or `kubectl apply` carries to the cluster. Done means committed, and
 * pushed where a remote is set. Files that are not ours are left alone.
 */
export function gitopsMesh(settings: GitopsSettings, withLock: WithLock, remoteCheckMs = 15_000): MeshDriver {
  const directory = resolve(settings.directory);
  const git = gitIn(directory);
  const repository = treeRepository(git, settings);
  let ready: Promise<string> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  /** One at a time in this process, then one process at a time: waiting for the turn holds no connection of the database. */
  const alone = <T>(work: (root: string) => Promise<T>): Promise<T> => {
    const mine = turn.then(() =>
      withLock(async () => {
        ready ??= repository.prepare();
        return work(await ready.catch(forget));
      }),
    );
    turn = mine.catch(() => undefined);
    return mine;
  };
  const forget = (error: unknown): never => {
    ready = undefined;
    throw error;
  };
  const pushAgain = (): Promise<void> => alone(() => repository.push());
  const remote =
    settings.remote === null ? undefined : remoteHealth({ directory, remote: settings.remote, checkMs: remoteCheckMs, pushAgain });
  return {
    name: 'gitops',
    apply: (write, isCurrent) => alone(async (root) => ((await isCurrent()) ? applyFiles(root, write) : 'superseded')),
    async read(ids) {
      const root = await (ready ?? alone((path) => Promise.resolve(path)));
      const found = await Promise.all(ids.map((id) => readObject(root, id)));
      return found.filter((object) => object !== undefined);
    },
    publish: (publication) =>
      alone(() => repository.publish(publication)).then(
        () => remote?.pushed(),
        (error: unknown) => {
          remote?.failed(error);
          throw error;
        },
      ),
    async check() {
      const problem = (await treeProblem(directory, git)) ?? (await remote?.problem());
      return problem === undefined ? { ok: true } : { ok: false, problem };
    },
    close: async () => {
      await turn;
    },
  };
}
/** The second fence: what a faster writer left at the target is never overwritten. */
async function applyFiles(root: string, { put, remove, revision }: ScopeWrite): Promise<'applied' | 'superseded'> {
  const ids = [...put.map(objectId), ...remove];
  const there = await Promise.all(ids.map((id) => readText(root, id)));
  for (const [index, text] of there.entries()) {
    if (text !== undefined && generationIn(text, ids[index]) > revision) return 'superseded';
  }
  const texts = put.map(objectYaml);
  for (const [index, object] of put.entries()) {
    const text = texts[index] ?? '';
    if (text !== there[index]) await writeText(root, objectId(object), text);
  }
  for (const id of remove) await removeFile(root, id);
  await syncDirectories(root, ids);
  return 'applied';
}
/** Read from our own form without parsing the whole file; anything else is parsed. */
function generationIn(text: string, id: ObjectId | undefined): number {
  const digits = /^ {4}meshbroker\.dev\/generation: "(\d{1,15})"$/m.exec(text)?.[1];
  if (digits !== undefined) return Number(digits);
  const object = id === undefined ? undefined : parseObject(text, id);
  return object === undefined ? 0 : generationOf(object);
}
