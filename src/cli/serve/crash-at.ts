import type { CrashAt } from '../../setting-values.ts';
import { installPointHook } from '../../kernel/points.ts';

/** Private to the kill tests: kill -9 of this process at the n-th passing of a crash point. */
export function crashAt({ point, passing }: CrashAt): void {
  let left = passing;
  installPointHook((name) => {
    if (name !== point) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  });
}
