import { expect } from 'vitest';
import type { Step, StepContext } from '../../src/operations/step.ts';

/** What a step list must keep: each step may run twice, and undone after any number of steps nothing is left. */
export interface StepScene {
  /** A fresh resource of its own; its operation is claimed, nothing has run. */
  readonly make: () => Promise<{ readonly steps: readonly Step[]; readonly context: StepContext }>;
  /** Everything that the steps may change, without revisions and times. */
  readonly look: () => Promise<unknown>;
}

export async function expectRepeatable({ make, look }: StepScene): Promise<void> {
  const { steps, context } = await make();
  for (const step of steps) await step.run(context);
  const once = await look();
  for (const step of steps) {
    await step.run(context);
    await step.run(context);
  }
  expect(await look()).toEqual(once);
}
export async function expectUndoable({ make, look }: StepScene): Promise<number> {
  const { steps } = await make();
  for (let n = 0; n <= steps.length; n += 1) {
    const before = await look();
    const scene = await make();
    for (const step of scene.steps.slice(0, n)) await step.run(scene.context);
    for (const step of [...scene.steps.toReversed(), ...scene.steps.toReversed()]) await step.undo?.(scene.context);
    expect(await look(), `undone after ${n} steps`).toEqual(before);
  }
  return steps.length;
}
