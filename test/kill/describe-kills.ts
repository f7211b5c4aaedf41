import { describe, test } from 'vitest';
import { killAt, passed, type Action } from './kill-at-points.ts';

/** Each kill on a database and a tree of its own, several at a time: most of it is waiting for a dead worker's lease. */
export function describeKills(action: Action): void {
  describe.concurrent(`a process killed during ${action}`, () => {
    test.each(passed[action])('at %s converges', (point) => killAt(action, point));
  });
}
