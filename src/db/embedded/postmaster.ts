import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Postmaster {
  readonly pid: number;
  readonly ready: boolean;
}
/** What postmaster.pid says: line 1 the process, line 8 its state. undefined: no server. */
export async function readPostmaster(data: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === 'ready' } : undefined;
}
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
/** Waits for its end: INT is a fast stop, QUIT an immediate one that the next start recovers from. */
export async function stopPostmaster(pid: number, graceMs: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    const end = performance.now() + graceMs;
    while (performance.now() < end) {
      if (!isAlive(pid)) return;
      await pause(5);
    }
  }
}
export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
