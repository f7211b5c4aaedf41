import type { MeshService, ServicePort } from './mesh-service.ts';
import { isHttp } from './service-ports.ts';
import type { AccessRule, TrafficPlan } from './traffic-plan.ts';

/** One way in for requests. Empty methods or paths: any. */
export interface HttpAccess {
  readonly ports: readonly ServicePort[];
  readonly methods: readonly string[];
  /** Istio's path forms. */
  readonly paths: readonly string[];
}
export interface GrantedAccess {
  readonly http: readonly HttpAccess[];
  /** Ports on which connections are let in as they are. */
  readonly tcp: readonly ServicePort[];
}
const everything: AccessRule = { methods: [], paths: [], grpcServices: [], ports: [] };
const sorted = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();

/** What a plan's access rules mean on the service's ports: a rule about requests says nothing of a port that has none. */
export function grantedAccess(service: MeshService, traffic: TrafficPlan): GrantedAccess {
  const http: HttpAccess[] = [];
  const tcp = new Set<ServicePort>();
  for (const rule of traffic.access.length === 0 ? [everything] : traffic.access) {
    const ports = service.ports.filter((port) => rule.ports.length === 0 || rule.ports.includes(port.number));
    const aboutRequests = rule.methods.length + rule.paths.length + rule.grpcServices.length > 0;
    const requestPorts = ports.filter((port) => isHttp(port.protocol)).sort((a, b) => a.number - b.number);
    if (requestPorts.length > 0) {
      const paths = [...rule.paths, ...rule.grpcServices.map((name) => `/${name}/*`)];
      http.push({ ports: requestPorts, methods: sorted(rule.methods), paths: sorted(paths) });
    }
    if (!aboutRequests) for (const port of ports) if (!isHttp(port.protocol)) tcp.add(port);
  }
  return { http, tcp: [...tcp].sort((a, b) => a.number - b.number) };
}
