import { afterAll, beforeAll, test } from 'vitest';
import { killAt } from './kill-at-points.ts';
import { killLab, type KillLab } from './kill-lab.ts';

let lab: KillLab;
beforeAll(async () => {
  lab = await killLab();
});
afterAll(() => lab.close());

/** The short suite: one kill in each family of points; all of them are in `npm run test:kill`. */
test.each([
  ['provision', 'C3'],
  ['bind', 'W4'],
  ['bind', 'W6'],
  ['unbind', 'D2'],
  ['deprovision', 'G3'],
] as const)(
  'a process killed during %s at %s: nothing acknowledged is lost, nothing is left over',
  async (action, point) => {
    await killAt(lab, action, point, `short-${action}-${point}`);
  },
  60_000,
);
