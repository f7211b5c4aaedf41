import { unreachable } from '../kernel/unreachable.ts';
import type { Contribution } from './contribution.ts';
import { ambientHost, gatewayHostForms, gatewayHosts, hostForms } from './hosts.ts';
import type { Protocol, ServicePort } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { workloadId } from './principal-name.ts';

/** Where the consumer calls. */
export interface MeshEndpoint {
  /** The service port's name. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The number of the service's port behind it, by which access rules name ports. */
  readonly servicePort: number;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'https' | 'tls' | 'tcp';
  /** Without a path: `http://reviews.bookinfo.svc.cluster.local:9080`. */
  readonly uri: string;
  /** Who answers: `spiffe://…` in the mesh, `dns:…` at the gateway. */
  readonly serverIdentity: string;
}
const inMesh: Readonly<Record<Protocol, MeshEndpoint['protocol']>> = { HTTP: 'http', HTTP2: 'http2', GRPC: 'grpc', TCP: 'tcp', TLS: 'tls' };
const schemes: Readonly<Record<Protocol, string>> = { HTTP: 'http', HTTP2: 'http', GRPC: 'grpc', TCP: 'tcp', TLS: 'tls' };

/**
 * The endpoints of a binding, its first the main one. Sidecar and VM: the service's own host. Ambient: the binding's own Service.
 * Off-mesh: the gateway's host, with HTTP ports only (a service without any gives none).
 */
export function endpointsOf(contribution: Contribution, settings: MeshSettings): readonly MeshEndpoint[] {
  const { service } = contribution.snapshot;
  switch (contribution.consumer.kind) {
    case 'sidecar':
    case 'vm':
      return service.ports.map((port) => meshEndpoint(contribution, service.hosts[0] ?? '', port, settings));
    case 'ambient':
      return service.ports.map((port) => meshEndpoint(contribution, ambientHost(contribution), port, settings));
    case 'off-mesh':
      return gatewayHosts(contribution, settings).map(({ host, port }) => ({
        name: port.name,
        host,
        port: settings.gateway.port,
        servicePort: port.number,
        protocol: port.protocol === 'GRPC' ? 'grpc' : 'https',
        uri: `https://${host}:${settings.gateway.port}`,
        serverIdentity: `dns:${host}`,
      }));
    default:
      return unreachable(contribution.consumer.kind);
  }
}
function meshEndpoint({ snapshot }: Contribution, host: string, port: ServicePort, { trustDomain }: MeshSettings): MeshEndpoint {
  const { namespace, serviceAccount } = snapshot.service;
  return {
    name: port.name,
    host,
    port: port.number,
    servicePort: port.number,
    protocol: inMesh[port.protocol],
    uri: `${schemes[port.protocol]}://${host}:${port.number}`,
    serverIdentity: workloadId(trustDomain, namespace, serviceAccount),
  };
}
/** Every way in which access logs may write the host that this binding's consumer calls, with and without port. */
export function loggedHosts(contribution: Contribution, settings: MeshSettings): readonly string[] {
  const { service } = contribution.snapshot;
  switch (contribution.consumer.kind) {
    case 'sidecar':
    case 'vm':
      return hostForms(service, service.ports, contribution.consumer.namespace);
    case 'ambient': {
      const own = ambientHost(contribution);
      const short = `${contribution.bindingRef}.${service.namespace}`;
      return [own, short].flatMap((host) => [host, ...service.ports.map((port) => `${host}:${port.number}`)]);
    }
    case 'off-mesh':
      return gatewayHosts(contribution, settings).flatMap((host) => gatewayHostForms(host, settings));
    default:
      return unreachable(contribution.consumer.kind);
  }
}
