import type { Contribution } from './contribution.ts';
import { grantedAccess, type HttpAccess } from './granted-access.ts';
import { gatewayHostForms, gatewayHosts, hostForms } from './hosts.ts';
import type { MeshObject } from './mesh-object.ts';
import type { ServicePort } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject, type AuthorizationRule, type ObjectSpecs } from './object-kinds.ts';
import { grantName, ofBinding } from './object-metadata.ts';
import { principalName } from './principal-name.ts';
import { workloadPort } from './service-ports.ts';

type Operation = NonNullable<NonNullable<AuthorizationRule['to']>[number]['operation']>;
interface Place {
  readonly namespace: string;
  readonly target: Pick<ObjectSpecs['AuthorizationPolicy'], 'selector' | 'targetRefs'>;
  readonly operations: readonly Operation[];
  readonly when: AuthorizationRule['when'];
}
/**
 * A grant as one ALLOW policy with exactly one source. ALLOW policies of a workload add up, so grants never meet. One rule, so that
 * the policy id in logs and limits is the same for every request of the binding. Nothing where the plan lets nothing in.
 */
export function planGrant(contribution: Contribution, settings: MeshSettings): readonly MeshObject[] {
  const place = placeOf(contribution, settings);
  // An empty list means any to Istio.
  const operations = place.operations.filter(({ hosts, ports }) => hosts?.length !== 0 && ports?.length !== 0);
  if (operations.length === 0) return [];
  const rule: AuthorizationRule = {
    from: [{ source: { principals: [principalName(contribution.principal)] } }],
    to: operations.map((operation) => ({ operation })),
    ...(place.when === undefined ? {} : { when: place.when }),
  };
  return [
    meshObject('AuthorizationPolicy', place.namespace, grantName(contribution), ofBinding(contribution, settings), {
      ...place.target,
      action: 'ALLOW',
      rules: [rule],
    }),
  ];
}
function placeOf(contribution: Contribution, settings: MeshSettings): Place {
  const { service } = contribution.snapshot;
  switch (contribution.consumer.kind) {
    case 'off-mesh':
      return atGateway(contribution, settings);
    case 'ambient':
      return {
        namespace: service.namespace,
        target: { targetRefs: [{ group: '', kind: 'Service', name: contribution.bindingRef }] },
        operations: operations(
          contribution,
          (port) => port.number,
          () => undefined,
        ),
        when: undefined,
      };
    case 'sidecar':
    case 'vm':
      return {
        namespace: service.namespace,
        target: { selector: { matchLabels: { ...service.workloadSelector } } },
        operations: operations(contribution, workloadPort, ({ ports }) => hostForms(service, ports, contribution.consumer.namespace)),
        when: undefined,
      };
  }
}
function atGateway(contribution: Contribution, settings: MeshSettings): Place {
  const { gateway } = settings;
  const hosts = gatewayHosts(contribution, settings);
  const access = grantedAccess(contribution.snapshot.service, contribution.snapshot.traffic).http;
  const reached = (ports: readonly ServicePort[]): typeof hosts =>
    hosts.filter((host) => ports.some(({ number }) => number === host.port.number));
  return {
    namespace: gateway.namespace,
    target: { selector: { matchLabels: { ...gateway.selector } } },
    operations: access.map((way) =>
      operation(
        way,
        [gateway.port],
        reached(way.ports).flatMap((host) => gatewayHostForms(host, settings)),
      ),
    ),
    when: [{ key: 'connection.sni', values: hosts.map(({ host }) => host) }],
  };
}
/** Requests by method, path and host; connections of ports without HTTP by port alone, for a field of HTTP never matches there. */
function operations(
  { snapshot }: Contribution,
  portOf: (port: ServicePort) => number,
  hostsOf: (access: HttpAccess) => readonly string[] | undefined,
): readonly Operation[] {
  const { http, tcp } = grantedAccess(snapshot.service, snapshot.traffic);
  const requests = http.map((access) => operation(access, access.ports.map(portOf), hostsOf(access)));
  return tcp.length === 0 ? requests : [...requests, { ports: tcp.map((port) => String(portOf(port))) }];
}
const operation = ({ methods, paths }: HttpAccess, ports: readonly number[], hosts: readonly string[] | undefined): Operation => ({
  ports: [...new Set(ports)].map(String),
  ...(hosts === undefined ? {} : { hosts: [...hosts] }),
  ...(methods.length === 0 ? {} : { methods: [...methods] }),
  ...(paths.length === 0 ? {} : { paths: [...paths] }),
});
