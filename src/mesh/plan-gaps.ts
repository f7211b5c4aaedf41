import type { ConsumerKind } from './consumer.ts';
import type { TrafficPlan } from './traffic-plan.ts';

/** Rules that one HTTPRoute takes. */
const rulesPerRoute = 16;

/**
 * What of a plan the mesh cannot do for a kind of consumer, each as a sentence: Gateway API has no retries and no faults in its
 * standard channel, and Envoy's matches of a gRPC path are by service and method only. Empty: all of it.
 */
export function planGaps(traffic: TrafficPlan, kind: ConsumerKind): readonly string[] {
  if (kind !== 'ambient') return [];
  const gaps: string[] = [];
  if (traffic.routes.some((rule) => rule.retries !== null)) gaps.push('retries are not done for ambient consumers: Gateway API has none');
  if (traffic.routes.some((rule) => rule.fault !== null)) gaps.push('faults are not injected for ambient consumers: Gateway API has none');
  if (traffic.routes.length >= rulesPerRoute) gaps.push(`an ambient consumer takes at most ${rulesPerRoute - 1} routes beside the default`);
  return gaps;
}
