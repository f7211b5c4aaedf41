import type { ConsumerKind } from './consumer.ts';
import type { GuardDefinition } from './contribution.ts';
import { accessLogProviderName } from './access-log-format.ts';
import { protobufDuration, milliseconds } from './duration.ts';
import { envoy } from './envoy-types.ts';
import { kubernetesService } from './hosts.ts';
import type { MeshObject } from './mesh-object.ts';
import type { GrantForm } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject, type AuthorizationRule, type ObjectSpecs } from './object-kinds.ts';
import { guardName, ofGuard } from './object-metadata.ts';
import { planLimits } from './plan-limits.ts';
import { planFence, planVerdictHooks, type VerdictPlace } from './plan-verdict-hooks.ts';
import { callerPrincipal, workloadPrincipal } from './principal-name.ts';
import { httpPorts, tcpPorts, workloadPort } from './service-ports.ts';

export const takes = (guard: GuardDefinition, kind: ConsumerKind): boolean => guard.plans.some((plan) => plan.consumerKinds.includes(kind));
/** Forms of grant that live bindings of the offering may have. */
export const grantForms = ({ service, formerForms = [] }: GuardDefinition): readonly GrantForm[] =>
  [...new Set([...formerForms, service.grantForm])].sort();
export const givesVerdicts = (guard: GuardDefinition): boolean => grantForms(guard).includes('verdict');

export const workloadPlace = ({ offeringId, service }: GuardDefinition): VerdictPlace => ({
  namespace: service.namespace,
  selector: service.workloadSelector,
  context: 'SIDECAR_INBOUND',
  name: guardName(offeringId),
  hasHttp: httpPorts(service).length > 0,
  tcpPorts: tcpPorts(service).map(workloadPort),
});
/**
 * Closes an offering's workloads and keeps them closed: strict mTLS, default deny, those who called before, limits, telemetry, and with
 * form `verdict` the hooks and the fence. In order of exposure: whoever called before is let in before the door is shut.
 */
export function planGuard(guard: GuardDefinition, settings: MeshSettings): readonly MeshObject[] {
  const ambient = takes(guard, 'ambient') && guard.service.waypoint !== null;
  const verdicts = givesVerdicts(guard);
  const place = workloadPlace(guard);
  return [
    strictMutualTls(guard, settings),
    ...allow(guard, settings, 'existing-callers', existingCallers(guard, settings)),
    ...(takes(guard, 'off-mesh') ? allow(guard, settings, 'from-gateway', fromGateway(guard, settings)) : []),
    ...(ambient ? allow(guard, settings, 'from-waypoint', fromWaypoint(guard, settings)) : []),
    policy(guard, settings, 'default-deny', []),
    ...(ambient ? atWaypoint(guard, settings) : []),
    telemetry(guard, settings),
    ...limits(guard, settings),
    ...connections(guard, settings),
    ...(verdicts
      ? [planVerdictHooks(place, ofGuard(guard, settings)), planFence(place, settings.trustDomain, ofGuard(guard, settings))]
      : []),
  ];
}
const nameOf = (guard: GuardDefinition, purpose: string): string => `${guardName(guard.offeringId)}-${purpose}`;
const selectorOf = ({ service }: GuardDefinition): { matchLabels: Record<string, string> } => ({
  matchLabels: { ...service.workloadSelector },
});

function strictMutualTls(guard: GuardDefinition, settings: MeshSettings): MeshObject {
  return meshObject('PeerAuthentication', guard.service.namespace, nameOf(guard, 'strict'), ofGuard(guard, settings), {
    selector: selectorOf(guard),
    mtls: { mode: 'STRICT' },
  });
}
type Target = Pick<ObjectSpecs['AuthorizationPolicy'], 'selector' | 'targetRefs'>;

/** ALLOW; without rules it admits nobody. */
function policy(guard: GuardDefinition, settings: MeshSettings, purpose: string, rules: AuthorizationRule[], target?: Target): MeshObject {
  return meshObject('AuthorizationPolicy', guard.service.namespace, nameOf(guard, purpose), ofGuard(guard, settings), {
    ...(target ?? { selector: selectorOf(guard) }),
    action: 'ALLOW',
    ...(rules.length === 0 ? {} : { rules }),
  });
}
/** No object where nobody is to be let in: a rule without a source would admit everybody. */
function allow(
  guard: GuardDefinition,
  settings: MeshSettings,
  purpose: string,
  rule: AuthorizationRule | undefined,
  target?: Target,
): readonly MeshObject[] {
  return rule === undefined ? [] : [policy(guard, settings, purpose, [rule], target)];
}
function existingCallers({ service }: GuardDefinition, { trustDomain }: MeshSettings): AuthorizationRule | undefined {
  const principals = [...new Set(service.existingCallers.map((caller) => callerPrincipal(trustDomain, caller)))].sort();
  return principals.length === 0 ? undefined : { from: [{ source: { principals } }] };
}
/** Second hop of off-mesh traffic: the gateway has asked for the verdict already. */
function fromGateway({ service }: GuardDefinition, { trustDomain, gateway }: MeshSettings): AuthorizationRule | undefined {
  const ports = httpPorts(service).map((port) => String(workloadPort(port)));
  if (ports.length === 0) return undefined;
  const principals = [workloadPrincipal(trustDomain, gateway.namespace, gateway.serviceAccount)];
  return { from: [{ source: { principals } }], to: [{ operation: { ports } }] };
}
/** Layer 4, kept by ztunnel: an ambient caller cannot go round the waypoint, which runs under a service account of its own name. */
function fromWaypoint({ service }: GuardDefinition, { trustDomain }: MeshSettings): AuthorizationRule {
  return { from: [{ source: { principals: [workloadPrincipal(trustDomain, service.namespace, service.waypoint ?? '')] } }] };
}
/** The provider's own Service at the waypoint; policies with a selector mean nothing there. */
function atWaypoint(guard: GuardDefinition, settings: MeshSettings): readonly MeshObject[] {
  return [...new Set(guard.service.hosts.map((host) => kubernetesService(host, guard.service.namespace)?.name))].flatMap((name) => {
    if (name === undefined) return [];
    const target: Target = { targetRefs: [{ group: '', kind: 'Service', name }] };
    return [
      ...allow(guard, settings, `waypoint-existing-callers-${name}`, existingCallers(guard, settings), target),
      policy(guard, settings, `waypoint-default-deny-${name}`, [], target),
    ];
  });
}
function telemetry(guard: GuardDefinition, settings: MeshSettings): MeshObject {
  return meshObject('Telemetry', guard.service.namespace, nameOf(guard, 'usage'), ofGuard(guard, settings), {
    selector: selectorOf(guard),
    accessLogging: [{ match: { mode: 'SERVER' }, providers: [{ name: accessLogProviderName(settings) }] }],
  });
}
function limits(guard: GuardDefinition, settings: MeshSettings): readonly MeshObject[] {
  const { service, plans } = guard;
  const planned = plans.map(({ traffic }) => ({ tag: traffic.tag, limits: traffic.limits }));
  const selected = { workloadSelector: { labels: { ...service.workloadSelector } } };
  const inSidecars =
    httpPorts(service).length === 0
      ? undefined
      : planLimits(
          service.namespace,
          nameOf(guard, 'limits'),
          ofGuard(guard, settings),
          selected,
          'SIDECAR_INBOUND',
          planned,
          grantForms(guard),
        );
  return [inSidecars, waypointLimits(guard, settings)].filter((object) => object !== undefined);
}
function waypointLimits(guard: GuardDefinition, settings: MeshSettings): MeshObject | undefined {
  const { service, plans } = guard;
  if (service.waypoint === null) return undefined;
  const planned = plans
    .filter((plan) => plan.consumerKinds.includes('ambient'))
    .map(({ traffic }) => ({ tag: traffic.tag, limits: traffic.limits }));
  const target = { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: service.waypoint }] };
  const name = nameOf(guard, 'waypoint-limits');
  return planLimits(service.namespace, name, ofGuard(guard, settings), target, 'WAYPOINT', planned, ['authorization-policy']);
}
/** An open TCP connection outlives its grant: plans bound how long. The shortest counts, for a workload has one proxy. */
function connections(guard: GuardDefinition, settings: MeshSettings): readonly MeshObject[] {
  const { service, plans } = guard;
  const bounds = plans.flatMap(({ traffic }) => traffic.maxConnectionDuration ?? []);
  const shortest = bounds.sort((a, b) => milliseconds(a) - milliseconds(b))[0];
  const ports = tcpPorts(service).map(workloadPort);
  if (shortest === undefined || ports.length === 0) return [];
  const value = {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: { '@type': envoy.tcpProxy, max_downstream_connection_duration: protobufDuration(shortest) },
  };
  const filter = { name: 'envoy.filters.network.tcp_proxy' };
  return [
    meshObject('EnvoyFilter', service.namespace, nameOf(guard, 'connections'), ofGuard(guard, settings), {
      workloadSelector: { labels: { ...service.workloadSelector } },
      priority: 30,
      configPatches: ports.map((destinationPort) => ({
        applyTo: 'NETWORK_FILTER',
        match: { context: 'SIDECAR_INBOUND', listener: { filterChain: { destinationPort, filter } } },
        patch: { operation: 'MERGE', value },
      })),
    }),
  ];
}
