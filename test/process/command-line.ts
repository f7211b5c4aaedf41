import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunningNode } from '../support/run-node.ts';
import { runNode } from '../support/run-node.ts';

const main = resolve('src/main.ts');
const bin = resolve('bin/meshbroker.js');

/** An empty directory that other users may enter, where a broker is started as on a fresh machine. */
export async function emptyFolder(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'meshbroker-process-'));
  await chmod(path, 0o755);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
export type Settings = Readonly<Record<string, string>>;
export interface Started extends RunningNode {
  readonly url: string;
  readonly password: string;
  /** SIGTERM; resolves with its end. */
  readonly stop: () => Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}
/** `npm start` without npm, in that folder. */
export async function startBroker(folder: string, settings: Settings = {}): Promise<Started> {
  const running = runNode([main], { MESHBROKER_LISTEN: '127.0.0.1:0', ...settings }, folder);
  await running.saying('What was used\n');
  const url = /listens on (\S+)/.exec(running.said())?.[1] ?? '';
  const password = /password (\S+)/.exec(running.said())?.[1] ?? '';
  const stop = (): Started['ended'] => {
    running.child.kill('SIGTERM');
    return running.ended;
  };
  return { ...running, url, password, stop };
}
/** What a start says that fails. */
export async function failingStart(
  folder: string,
  settings: Settings = {},
): Promise<{ readonly code: number | null; readonly said: string }> {
  const running = runNode([main], { MESHBROKER_LISTEN: '127.0.0.1:0', ...settings }, folder);
  return { code: (await running.ended).code, said: running.said() };
}
/** `npx meshbroker …` without npx, in that folder. */
export async function meshbroker(
  folder: string,
  words: readonly string[],
  settings: Settings = {},
): Promise<{ readonly code: number | null; readonly said: string }> {
  const running = runNode([bin, ...words], settings, folder);
  return { code: (await running.ended).code, said: running.said() };
}
