import type { Plan, ServiceOffering } from '../catalog/offering.ts';
import { sha256Hex } from '../kernel/ids.ts';
import { canonicalJson } from '../kernel/json.ts';
import type { GuardDefinition, PlanSnapshot } from '../mesh/contribution.ts';
import type { StoredSnapshot } from './instance.ts';

/** What an instance of this plan is compiled from, from now on. */
export function snapshotOf(offering: ServiceOffering, plan: Plan): StoredSnapshot {
  const known = cache.get(plan);
  if (known !== undefined) return known;
  const snapshot: PlanSnapshot = {
    offeringId: offering.id,
    offeringName: offering.name,
    planId: plan.id,
    planName: plan.name,
    service: offering.mesh,
    traffic: plan.traffic,
  };
  const stored = { hash: sha256Hex(canonicalJson(snapshot)), snapshot };
  cache.set(plan, stored);
  return stored;
}
const cache = new WeakMap<Plan, StoredSnapshot>();

/** The guard covers every plan of the offering, so that nothing of it changes at bind. */
export const guardOf = (offering: ServiceOffering): GuardDefinition => ({
  offeringId: offering.id,
  offeringName: offering.name,
  service: offering.mesh,
  plans: offering.plans.map((plan) => ({
    planId: plan.id,
    planName: plan.name,
    traffic: plan.traffic,
    consumerKinds: plan.consumerKinds,
  })),
});
