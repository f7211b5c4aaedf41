import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest stretch of catalogue work between two turns of the event loop, so that requests are not delayed. */
const longestStretchMs = 8;

/** `await breathe()` in long loops: lets other work run when this stretch has lasted long enough, else costs next to nothing. */
export function breathing(): () => Promise<void> | undefined {
  let started = performance.now();
  return () => {
    if (performance.now() - started < longestStretchMs) return undefined;
    return nextTurn().then(() => {
      started = performance.now();
    });
  };
}
