import { canonicalJson } from '../kernel/json.ts';
import type { Contribution } from './contribution.ts';
import type { MeshService, ServicePort, Subset } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { given, type TrafficPolicy } from './object-kinds.ts';
import { workloadId } from './principal-name.ts';
import { RouteConflict } from './route-conflict.ts';
import type { TrafficPlan } from './traffic-plan.ts';

type LoadBalancer = NonNullable<TrafficPolicy['loadBalancer']>;

/** What a plan says of connections to the service, without TLS. Equal plans give equal policies. */
export function trafficPolicy(traffic: TrafficPlan): TrafficPolicy {
  return given({
    loadBalancer: loadBalancer(traffic),
    connectionPool: connectionPool(traffic),
    outlierDetection: outlierDetection(traffic),
    retryBudget: traffic.retryBudget === null ? undefined : { ...traffic.retryBudget },
  });
}
function loadBalancer({ loadBalancing, locality }: TrafficPlan): LoadBalancer | undefined {
  if (loadBalancing === null && locality === null) return undefined;
  const header = loadBalancing?.consistentHashHeader ?? null;
  return {
    ...(loadBalancing !== null && header === null ? { simple: loadBalancing.algorithm } : {}),
    ...(header === null ? {} : { consistentHash: { httpHeaderName: header } }),
    ...(loadBalancing === null || loadBalancing.warmup === null ? {} : { warmup: { duration: loadBalancing.warmup } }),
    ...(locality === null ? {} : { localityLbSetting: { enabled: true, failoverPriority: [...locality.failoverPriority] } }),
  };
}
const said = <Value>(value: Value | null): Value | undefined => value ?? undefined;
const filled = <Fields extends object>(fields: Fields): Fields | undefined => (Object.keys(fields).length === 0 ? undefined : fields);

function connectionPool({ connectionPool: pool }: TrafficPlan): TrafficPolicy['connectionPool'] {
  if (pool === null) return undefined;
  const tcp = filled(given({ maxConnections: said(pool.maxConnections), connectTimeout: said(pool.connectTimeout) }));
  const http = filled(
    given({
      http1MaxPendingRequests: said(pool.maxPendingRequests),
      http2MaxRequests: said(pool.maxRequests),
      idleTimeout: said(pool.idleTimeout),
    }),
  );
  return filled(given({ tcp, http }));
}
function outlierDetection({ outlierDetection: wanted }: TrafficPlan): TrafficPolicy['outlierDetection'] {
  if (wanted === null) return undefined;
  return filled(
    given({
      consecutive5xxErrors: said(wanted.consecutive5xxErrors),
      consecutiveGatewayErrors: said(wanted.consecutiveGatewayErrors),
      interval: said(wanted.interval),
      baseEjectionTime: said(wanted.baseEjectionTime),
      maxEjectionPercent: said(wanted.maxEjectionPercent),
    }),
  );
}
/**
 * The policy of several bindings of one workload: that of the highest priority. Different ones of equal priority are `route-conflict`,
 * for a workload has one DestinationRule per host.
 */
export function agreedPolicy(members: readonly Contribution[]): TrafficPolicy {
  const highest = Math.max(...members.map(({ snapshot }) => snapshot.traffic.routePriority));
  const deciding = members.filter(({ snapshot }) => snapshot.traffic.routePriority === highest);
  const [chosen, ...others] = deciding.map(({ bindingRef, snapshot }) => ({ bindingRef, policy: trafficPolicy(snapshot.traffic) }));
  if (chosen === undefined) return {};
  const other = others.find(({ policy }) => canonicalJson(policy) !== canonicalJson(chosen.policy));
  if (other !== undefined)
    throw new RouteConflict(chosen.bindingRef, other.bindingRef, 'load balancing, pools, outlier detection or retry budgets');
  return chosen.policy;
}
/** Strict mTLS to exactly the service's identity: a DestinationRule of the client's namespace replaces the provider's own. */
export const serverTls = (service: MeshService, { trustDomain }: MeshSettings): NonNullable<TrafficPolicy['tls']> => ({
  mode: 'ISTIO_MUTUAL',
  subjectAltNames: [workloadId(trustDomain, service.namespace, service.serviceAccount)],
});
/** All subsets that a member's routes may name; of two versions of one, that of the first member. */
export function allSubsets(members: readonly Contribution[]): readonly Subset[] {
  const byName = new Map<string, Subset>();
  for (const { snapshot } of members)
    for (const subset of snapshot.service.subsets) if (!byName.has(subset.name)) byName.set(subset.name, subset);
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
export function allPorts(members: readonly Contribution[]): readonly ServicePort[] {
  const byNumber = new Map<number, ServicePort>();
  for (const { snapshot } of members)
    for (const port of snapshot.service.ports) if (!byNumber.has(port.number)) byNumber.set(port.number, port);
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}
