import type { GuardDefinition } from './contribution.ts';
import { grantForms } from './plan-guard.ts';

/**
 * The guard of an offering whose catalogue entry changed: what live bindings of former plans and of a former form of grant need stays,
 * for a guard never forgets a plan's limits or takes away hooks that lists still use.
 */
export function mergeGuard(before: GuardDefinition | undefined, now: GuardDefinition): GuardDefinition {
  if (before === undefined) return now;
  const current = new Set(now.plans.map((plan) => plan.planId));
  const former = before.plans.filter((plan) => !current.has(plan.planId));
  const plans = [...now.plans, ...former].sort((a, b) => (a.planId < b.planId ? -1 : 1));
  const formerForms = grantForms(before).filter((form) => form !== now.service.grantForm);
  const { offeringId, offeringName, service } = now;
  return { offeringId, offeringName, service, plans, ...(formerForms.length === 0 ? {} : { formerForms }) };
}
