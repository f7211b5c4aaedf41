import type { Contribution } from './contribution.ts';
import { derivedName } from './object-metadata.ts';
import type { MeshService, ServicePort } from './mesh-service.ts';
import type { GatewaySettings, MeshSettings } from './mesh-settings.ts';
import { httpPorts } from './service-ports.ts';

const withPorts = (names: readonly string[], ports: readonly number[]): readonly string[] =>
  names.flatMap((name) => [name, ...ports.map((port) => `${name}:${port}`)]);

/** A Kubernetes service's own name, where the host has the shape `<name>.<namespace>.svc.<cluster domain>`. */
export function kubernetesService(host: string, namespace: string): { readonly name: string; readonly domain: string } | undefined {
  const [name, ofNamespace, svc, ...domain] = host.split('.');
  if (name === undefined || ofNamespace !== namespace || svc !== 'svc') return undefined;
  return { name, domain: ['svc', ...domain].join('.') };
}
/** Every name of the service in a Host header; its bare name only where that means this service. */
export const hostNames = (service: MeshService, callerNamespace: string): readonly string[] =>
  service.hosts.flatMap((host) => {
    const known = kubernetesService(host, service.namespace);
    if (known === undefined) return [host];
    const short = [`${known.name}.${service.namespace}.svc`, `${known.name}.${service.namespace}`];
    return callerNamespace === service.namespace ? [host, ...short, known.name] : [host, ...short];
  });
/** The names with and without port: callers of HTTP/1.1 may send the port. */
export const hostForms = (service: MeshService, ports: readonly ServicePort[], callerNamespace: string): readonly string[] =>
  withPorts(
    hostNames(service, callerNamespace),
    ports.map((port) => port.number),
  );
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const offeringLabel = (name: string): string => (dnsLabel.test(name) ? name : derivedName('offering', name));

export interface GatewayHost {
  readonly host: string;
  /** The service's port behind it. */
  readonly port: ServicePort;
}
/** Where an off-mesh consumer calls: one host per HTTP port; further ports have their number in the first label. */
export function gatewayHosts(contribution: Contribution, settings: MeshSettings): readonly GatewayHost[] {
  const host = settings.gateway.hostPattern
    .replaceAll('{binding}', contribution.bindingRef)
    .replaceAll('{offering}', offeringLabel(contribution.snapshot.offeringName));
  return httpPorts(contribution.snapshot.service).map((port, index) => ({
    host: index === 0 ? host : host.replace(/^[^.]+/, (label) => `${label}-${port.number}`),
    port,
  }));
}
/** What the gateway's listener answers to: all hosts that the pattern can make. */
export function gatewayWildcard({ hostPattern }: GatewaySettings): string {
  const labels = hostPattern.split('.');
  const fixed = labels.slice(labels.findLastIndex((label) => label.includes('{')) + 1);
  return fixed.length === labels.length ? hostPattern : `*.${fixed.join('.')}`;
}
/**
 * Tells the hosts that the gateway gives to bindings from all others, by the pattern. Lower case, without port; Envoy writes `-shadow`
 * behind the host of a mirrored copy.
 */
export function gatewayHostTest({ hostPattern }: GatewaySettings): (host: string) => boolean {
  const words = hostPattern
    .replaceAll('.', String.raw`\.`)
    .replace(String.raw`\.`, String.raw`(-\d{1,5})?\.`)
    .replaceAll('{binding}', 'mb-[a-z2-7]{20}')
    .replaceAll('{offering}', '[a-z0-9-]{1,63}');
  const form = new RegExp(`^${words}(-shadow)?$`);
  return (host) => form.test(host);
}
export const gatewayHostForms = ({ host }: GatewayHost, settings: MeshSettings): readonly string[] =>
  withPorts([host], [settings.gateway.port]);

/** An ambient consumer calls a Service of the binding's own: a waypoint does not tell callers apart by their labels. */
export function ambientHost(contribution: Contribution): string {
  const { service } = contribution.snapshot;
  const domain = kubernetesService(service.hosts[0] ?? '', service.namespace)?.domain ?? 'svc.cluster.local';
  return `${contribution.bindingRef}.${service.namespace}.${domain}`;
}
