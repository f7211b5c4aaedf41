import type { MeshService, Protocol, ServicePort } from './mesh-service.ts';

export const isHttp = (protocol: Protocol): boolean => protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC';
const byNumber = (a: ServicePort, b: ServicePort): number => a.number - b.number;

export const httpPorts = (service: Pick<MeshService, 'ports'>): readonly ServicePort[] =>
  service.ports.filter((port) => isHttp(port.protocol)).sort(byNumber);
export const tcpPorts = (service: Pick<MeshService, 'ports'>): readonly ServicePort[] =>
  service.ports.filter((port) => !isHttp(port.protocol)).sort(byNumber);
/** The port that policies on the workload see. */
export const workloadPort = (port: ServicePort): number => port.targetPort ?? port.number;
