import type { Plan, TrainedOperation } from '../catalog/offering.ts';
import type { TrainedBehaviour } from '../operations/training.ts';

/** What the plan's training says of this operation; null for every ordinary plan. */
export function trainedBehaviour(plan: Plan | undefined, operation: TrainedOperation): TrainedBehaviour | null {
  const rule = plan?.training?.rules.find((candidate) => candidate.operation === operation);
  return rule === undefined ? null : { behaviour: rule.behaviour, seconds: rule.seconds };
}
