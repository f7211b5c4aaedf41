import { canonicalJson } from '../kernel/json.ts';
import type { Contribution } from './contribution.ts';
import { gatewayHosts } from './hosts.ts';
import type { MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject, type SubsetPolicy, type TrafficPolicy } from './object-kinds.ts';
import { derivedName, fingerprint, ofBindings } from './object-metadata.ts';
import { gatewayReference } from './plan-gateway.ts';
import { composedRoutes } from './plan-virtual-service.ts';
import { RouteConflict } from './route-conflict.ts';
import { agreedPolicy, allSubsets, serverTls, trafficPolicy } from './traffic-policy.ts';

/** The gateway is one client for all bindings: each policy has subsets of its own, so that no binding changes another's connections. */
function subsetName(policy: TrafficPolicy, subset: string | null): string | undefined {
  if (Object.keys(policy).length === 0) return subset ?? undefined;
  const prefix = `p${fingerprint(canonicalJson(policy))}`;
  const name = subset === null ? prefix : `${prefix}-${subset}`;
  return name.length <= 63 ? name : `${prefix}-${fingerprint(subset ?? '')}`;
}
/** Scope `gateway-destinations/<host>`: how the gateway connects to a service, for all bindings from outside. */
export function planGatewayDestinations(host: string, members: readonly Contribution[], settings: MeshSettings): readonly MeshObject[] {
  const first = members[0];
  if (first === undefined) return [];
  const policies = new Map(members.map(({ snapshot }) => trafficPolicy(snapshot.traffic)).map((policy) => [canonicalJson(policy), policy]));
  const subsets: SubsetPolicy[] = [...policies.keys()].sort().flatMap((key) => {
    const policy = policies.get(key) ?? {};
    const own = Object.keys(policy).length === 0 ? {} : { trafficPolicy: policy };
    const whole = subsetName(policy, null);
    return [
      ...(whole === undefined ? [] : [{ name: whole, ...own }]),
      ...allSubsets(members).map(({ name, labels }) => ({ name: subsetName(policy, name) ?? name, labels: { ...labels }, ...own })),
    ];
  });
  const { namespace } = settings.gateway;
  return [
    meshObject('DestinationRule', namespace, derivedName('gateway-destination', host), ofBindings(members, settings), {
      host,
      exportTo: ['.'],
      trafficPolicy: { tls: serverTls(first.snapshot.service, settings) },
      ...(subsets.length === 0 ? {} : { subsets }),
    }),
  ];
}
/** Scope `gateway-routes/<host>`: in the provider's namespace, visible at the gateway only. Usually the host of one binding. */
export function planGatewayRoutes(host: string, members: readonly Contribution[], settings: MeshSettings): readonly MeshObject[] {
  const first = members[0];
  if (first === undefined) return [];
  const reached = gatewayHosts(first, settings).find((candidate) => candidate.host === host);
  const destinationHost = first.snapshot.service.hosts[0];
  if (reached === undefined || destinationHost === undefined) return [];
  const stranger = members.find(({ snapshot }) => snapshot.service.hosts[0] !== destinationHost);
  if (stranger !== undefined) throw new RouteConflict(first.bindingRef, stranger.bindingRef, `services at ${host}`);
  const policy = agreedPolicy(members);
  const claims = members.map(({ bindingRef, snapshot }) => ({ bindingRef, labels: {}, traffic: snapshot.traffic }));
  const place = {
    destinationHost,
    subsetName: (_: string, subset: string | null): string | undefined => subsetName(policy, subset),
    sourceLabels: false,
    defaultRoute: false,
  };
  const { http = [] } = composedRoutes({ ports: [reached.port] }, claims, place, host);
  return [
    meshObject('VirtualService', first.snapshot.service.namespace, derivedName('gateway-routes', host), ofBindings(members, settings), {
      hosts: [host],
      gateways: [gatewayReference(settings)],
      exportTo: [settings.gateway.namespace],
      http,
    }),
  ];
}
