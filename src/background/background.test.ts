import { describe, expect, test } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import type { BackgroundTask } from '../kernel/background.ts';
import { background } from './background.ts';

const until = async (done: () => boolean): Promise<void> => {
  for (let tries = 0; !done() && tries < 500; tries += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(done()).toBe(true);
};
const hour = 3_600_000;
const run = (task: Partial<BackgroundTask> & Pick<BackgroundTask, 'activate'>) => {
  const seen: string[] = [];
  const running = background([{ name: 'task', everyMs: hour, ...task }], silentLogger, { ran: (_, outcome) => seen.push(outcome) });
  running.start();
  return { running, seen };
};

describe('a background task', () => {
  test('goes on while it says that there is more, and then waits to be woken', async () => {
    let left = 3;
    const { running, seen } = run({ activate: () => Promise.resolve(--left > 0) });
    await until(() => seen.length === 3);
    running.wake('task');
    await until(() => seen.length === 4);
    await running.stop(100);
  });
  test('runs once at a time, and once more for all that woke it meanwhile', async () => {
    let release = (): void => undefined;
    let atOnce = 0;
    let most = 0;
    const activate = async (): Promise<boolean> => {
      most = Math.max(most, (atOnce += 1));
      await new Promise<void>((resolve) => (release = resolve));
      atOnce -= 1;
      return false;
    };
    const { running, seen } = run({ activate });
    for (let i = 0; i < 5; i += 1) running.wake('task');
    release();
    await until(() => seen.length === 1 && atOnce === 1);
    release();
    await until(() => seen.length === 2);
    await running.stop(100);
    expect([most, seen.length]).toEqual([1, 2]);
  });
  test('that fails is reported, tried again and well again', async () => {
    let fails = true;
    const activate = (): Promise<boolean> => (fails ? Promise.reject(new Error('the disk is full')) : Promise.resolve(false));
    const { running, seen } = run({ activate });
    await until(() => seen.length === 1);
    expect(running.health()).toMatchObject([{ name: 'task', failures: 1, lastError: 'the disk is full' }]);
    fails = false;
    running.wake('task');
    await until(() => seen.length === 2);
    expect(running.health()).toMatchObject([{ failures: 0, lastError: null }]);
    await running.stop(100);
  });
  test('is told to stop, is waited for, and does not run again', async () => {
    let ended = false;
    const activate = (signal: AbortSignal): Promise<boolean> =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          ended = true;
          resolve(true);
        }),
      );
    const { running, seen } = run({ activate });
    await running.stop(1_000);
    expect(ended).toBe(true);
    running.wake('task');
    expect(seen).toEqual(['succeeded']);
  });
});
