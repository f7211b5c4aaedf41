import { accessLogProviderName } from './access-log-format.ts';
import { ambientHost, kubernetesService } from './hosts.ts';
import type { Contribution } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import type { ServicePort } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject } from './object-kinds.ts';
import { fingerprint, ofBinding } from './object-metadata.ts';
import { planGrpcRoute, planHttpRoute, type AmbientBackends } from './plan-ambient-routes.ts';
import { httpPorts, workloadPort } from './service-ports.ts';
import { trafficPolicy } from './traffic-policy.ts';

const appProtocols = { HTTP: 'http', HTTP2: 'http2', GRPC: 'grpc', TCP: 'tcp', TLS: 'tls' } as const;

/**
 * Scope `ambient/<ref>`: a Service of the binding's own behind the provider's waypoint, closed until the grant comes, with routes,
 * backends per subset and telemetry. A waypoint ignores routes of the consumer's namespace and the callers' labels, so a host of one's
 * own is what tells bindings apart.
 */
export function planAmbient(contribution: Contribution, settings: MeshSettings): readonly MeshObject[] {
  const { bindingRef, snapshot } = contribution;
  const { namespace } = snapshot.service;
  const ownership = ofBinding(contribution, settings);
  const target = { targetRefs: [{ group: '', kind: 'Service', name: bindingRef }] };
  const backends = backendsOf(contribution);
  return [
    meshObject('AuthorizationPolicy', namespace, `${bindingRef}-default-deny`, ownership, { ...target, action: 'ALLOW' }),
    meshObject('Telemetry', namespace, `${bindingRef}-usage`, ownership, {
      ...target,
      accessLogging: [{ providers: [{ name: accessLogProviderName(settings) }] }],
    }),
    ...destinationRules(contribution, backends, settings),
    ...[...backends.used].map(([subset, name]) => backendService(contribution, subset, name, settings)),
    service(contribution, settings),
    ...httpPorts(snapshot.service).map((port) =>
      port.protocol === 'GRPC'
        ? planGrpcRoute(contribution, port, backends, settings)
        : planHttpRoute(contribution, port, backends, settings),
    ),
  ];
}
/** Services with the labels of the subsets that the plan's routes name. */
function backendsOf({ bindingRef, snapshot }: Contribution): AmbientBackends {
  const named = snapshot.traffic.routes.flatMap((rule) => [...rule.split.map(({ subset }) => subset), rule.mirror?.subset ?? null]);
  const used = new Map<string, string>();
  for (const subset of [...new Set(named)].filter((name) => name !== null).sort()) {
    const name = `${bindingRef}-${subset}`;
    used.set(subset, name.length <= 63 ? name : `${bindingRef}-${fingerprint(subset)}`);
  }
  return {
    used,
    nameOf: (subset) => (subset === null ? bindingRef : (used.get(subset) ?? bindingRef)),
    mirrorOf: (host) => kubernetesService(host, snapshot.service.namespace)?.name,
  };
}
const servicePorts = (ports: readonly ServicePort[]): { name: string; port: number; targetPort: number; appProtocol: string }[] =>
  ports.map((port) => ({ name: port.name, port: port.number, targetPort: workloadPort(port), appProtocol: appProtocols[port.protocol] }));

function service(contribution: Contribution, settings: MeshSettings): MeshObject {
  const { service: provider } = contribution.snapshot;
  const ownership = ofBinding(contribution, settings);
  const behindWaypoint = { 'istio.io/use-waypoint': provider.waypoint ?? 'waypoint' };
  const labelled = { ...ownership, labels: { ...ownership.labels, ...behindWaypoint } };
  return meshObject('Service', provider.namespace, contribution.bindingRef, labelled, {
    selector: { ...provider.workloadSelector },
    ports: servicePorts(provider.ports),
  });
}
/** Reached from the waypoint only: called directly it has no waypoint, so that the workload sees the caller itself and refuses. */
function backendService(contribution: Contribution, subset: string, name: string, settings: MeshSettings): MeshObject {
  const { service: provider } = contribution.snapshot;
  const ownership = ofBinding(contribution, settings);
  const labels = provider.subsets.find((candidate) => candidate.name === subset)?.labels ?? {};
  return meshObject(
    'Service',
    provider.namespace,
    name,
    { ...ownership, labels: { ...ownership.labels, 'istio.io/use-waypoint': 'none' } },
    { selector: { ...provider.workloadSelector, ...labels }, ports: servicePorts(provider.ports) },
  );
}
/** How the waypoint connects: it takes rules of the service's namespace. TLS is the tunnel's. */
function destinationRules(contribution: Contribution, backends: AmbientBackends, settings: MeshSettings): readonly MeshObject[] {
  const { bindingRef, snapshot } = contribution;
  const policy = trafficPolicy(snapshot.traffic);
  if (Object.keys(policy).length === 0) return [];
  const domain = ambientHost(contribution).slice(bindingRef.length);
  return [bindingRef, ...backends.used.values()].map((name) =>
    meshObject('DestinationRule', snapshot.service.namespace, name, ofBinding(contribution, settings), {
      host: name + domain,
      exportTo: ['.'],
      trafficPolicy: policy,
    }),
  );
}
