import { describe, test } from 'vitest';
import { killAt } from './kill-at-points.ts';

/** The short suite: one kill in each family of points; all of them are in `npm run test:kill`. */
describe.concurrent('a real process', () => {
  test.each([
    ['provision', 'C3'],
    ['bind', 'W4'],
    ['bind', 'W6'],
    ['unbind', 'D2'],
    ['deprovision', 'G3'],
  ] as const)(
    'killed during %s at %s loses nothing acknowledged and leaves nothing over',
    (action, point) => killAt(action, point),
    120_000,
  );
});
