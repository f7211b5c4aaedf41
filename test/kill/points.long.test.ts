import { afterAll, beforeAll, describe, test } from 'vitest';
import { killAt, passed, type Action } from './kill-at-points.ts';
import { killLab, type KillLab } from './kill-lab.ts';

let lab: KillLab;
beforeAll(async () => {
  lab = await killLab();
});
afterAll(() => lab.close());

for (const [action, points] of Object.entries(passed) as [Action, (typeof passed)[Action]][]) {
  describe(`${action}`, () => {
    test.each(points)('killed at %s converges', async (point) => killAt(lab, action, point, `long-${action}-${point}`));
  });
}
