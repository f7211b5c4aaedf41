import type { IssuedCredentials } from '../identity/identity-port.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { AccessRule, Limits, TrafficPlan } from '../mesh/traffic-plan.ts';
import type { Endpoint } from './binding-port.ts';

/** Where the consumer connects: the service itself in the mesh, the gateway outside of it. */
export interface ReachableEndpoint {
  /** Name of the service's port. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'https' | 'tls' | 'tcp';
  /** Port of the service behind it, by which access rules name it. Default: `port`. */
  readonly servicePort?: number;
}
/** All that the credentials of a binding are made from. */
export interface CredentialFacts {
  readonly bindingRef: string;
  readonly consumerKind: ConsumerKind;
  readonly credentialKind: 'mesh-identity' | 'x509-svid';
  /** Full SPIFFE ID of the caller. */
  readonly principal: string;
  /** Full SPIFFE ID of the service's workloads; a client off the mesh sees the gateway's host name instead. */
  readonly serverId: string;
  /** At least one; the first is the primary one. */
  readonly endpoints: readonly ReachableEndpoint[];
  readonly traffic: Pick<TrafficPlan, 'access' | 'routes' | 'limits'>;
  /** null: nothing was issued (mesh-identity). */
  readonly issued: IssuedCredentials | null;
  /** PEM of what the client must trust; used only where a certificate was issued. */
  readonly trustedPem: string;
  /** Of the broker, without a slash at the end. */
  readonly publicUrl: string;
  readonly expiresAt: Date | null;
  readonly renewBefore: Date | null;
}
export interface BindingCredentials {
  readonly credentials: JsonObject;
  /** OSB endpoints (BND-15): all that the binding can reach, one entry per host. */
  readonly endpoints: readonly Endpoint[];
}

/** Pure: the same facts give the same bytes. Shape: schemas/credentials.schema.json. A binding by mesh identity carries no secret. */
export function credentialsOf(facts: CredentialFacts): BindingCredentials {
  const primary = facts.endpoints[0];
  if (primary === undefined) throw new BrokerError('internal', `the binding ${facts.bindingRef} has no endpoint`);
  const offMesh = facts.consumerKind === 'off-mesh';
  const credentials: JsonObject = {
    schema: 'mesh-binding/v1',
    type: typeOf(primary),
    provider: 'meshbroker',
    uri: `${uriScheme(primary, offMesh)}://${primary.host}:${primary.port}`,
    host: primary.host,
    port: String(primary.port),
    ...(offMesh ? { sni: primary.host } : {}),
    auth: facts.credentialKind,
    'spiffe-id': facts.principal,
    ...certificatesOf(facts),
    ...(facts.expiresAt === null ? {} : { 'expires-at': facts.expiresAt.toISOString() }),
    ...(facts.renewBefore === null ? {} : { 'renew-before': facts.renewBefore.toISOString() }),
    mesh: meshPart(facts, offMesh),
  };
  return { credentials, endpoints: osbEndpoints(facts.endpoints) };
}

const typeOf = ({ protocol }: ReachableEndpoint): string => (protocol === 'grpc' ? 'grpc' : protocol.startsWith('http') ? 'http' : 'tcp');
/** In the mesh the proxy makes the TLS; outside of it the client does. */
function uriScheme({ protocol }: ReachableEndpoint, offMesh: boolean): string {
  if (protocol === 'grpc') return offMesh ? 'grpcs' : 'grpc';
  if (protocol.startsWith('http')) return offMesh || protocol === 'https' ? 'https' : 'http';
  return offMesh || protocol === 'tls' ? 'tls' : 'tcp';
}

function certificatesOf({ bindingRef, credentialKind, issued, trustedPem }: CredentialFacts): JsonObject {
  if (credentialKind === 'mesh-identity') return {};
  if (issued === null) throw new BrokerError('internal', `the binding ${bindingRef} has no certificate yet`);
  const { chainPem, privateKeyPem, notAfter } = issued;
  return {
    certificates: trustedPem,
    'client-certificate': chainPem,
    ...(privateKeyPem === null ? {} : { 'private-key': privateKeyPem }),
    'expires-at': notAfter.toISOString(),
  };
}

function meshPart(facts: CredentialFacts, offMesh: boolean): JsonObject {
  const hosts = [...new Set(facts.endpoints.map(({ host }) => host))];
  const limits = limitsOf(facts.traffic.limits);
  return {
    binding_ref: facts.bindingRef,
    consumer_kind: facts.consumerKind,
    trust_domain: parseSpiffeId(facts.principal).trustDomain,
    ...(facts.credentialKind === 'x509-svid' ? { trust_bundle_uri: `${facts.publicUrl}/spiffe/bundle` } : {}),
    server_identities: offMesh ? hosts.map((host) => `dns:${host}`) : [facts.serverId],
    routes: facts.endpoints.flatMap((endpoint) => routesOf(endpoint, facts.traffic)),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    usage_uri: `${facts.publicUrl}/v1/bindings/${facts.bindingRef}/usage`,
  };
}

function limitsOf({ requestsPerSecond, burst, requestsPerMonth }: Limits): JsonObject {
  return {
    ...(requestsPerSecond === null ? {} : { requests_per_second: requestsPerSecond }),
    ...(burst === null ? {} : { burst }),
    ...(requestsPerMonth === null ? {} : { quota: { requests_per_month: requestsPerMonth } }),
  };
}

function routesOf(endpoint: ReachableEndpoint, { access, routes }: CredentialFacts['traffic']): readonly JsonObject[] {
  const { name, host, port, protocol, servicePort = port } = endpoint;
  const timeout = routes.find(({ match }) => match === null)?.timeout ?? null;
  const base = { name, host, port, protocol, ...(timeout === null ? {} : { timeout: shortDuration(timeout) }) };
  if (access.length === 0) return [base];
  return access.filter(({ ports }) => ports.length === 0 || ports.includes(servicePort)).map((rule) => ({ ...base, ...callsOf(rule) }));
}
/** A gRPC service is every path below its name. */
function callsOf({ methods, paths, grpcServices }: AccessRule): JsonObject {
  const allPaths = [...paths, ...grpcServices.map((service) => `/${service}/*`)];
  return { ...(methods.length === 0 ? {} : { methods }), ...(allPaths.length === 0 ? {} : { paths: allPaths }) };
}

const unitMilliseconds: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
/** Istio's durations may have several parts and hours (`1m30s`, `1h`); ours have one part in ms, s or m. */
function shortDuration(duration: string): string {
  if (/^[0-9.]+(ms|s|m)$/.test(duration)) return duration;
  let milliseconds = 0;
  for (const [, amount, unit] of duration.matchAll(/([0-9.]+)(ms|h|m|s)/g))
    milliseconds += Number(amount) * (unitMilliseconds[unit ?? ''] ?? 0);
  return `${milliseconds / 1000}s`;
}

function osbEndpoints(endpoints: readonly ReachableEndpoint[]): readonly Endpoint[] {
  const ports = new Map<string, Set<string>>();
  for (const { host, port } of endpoints) ports.set(host, (ports.get(host) ?? new Set()).add(String(port)));
  return [...ports].map(([host, numbers]) => ({ host, ports: [...numbers], protocol: 'tcp' }));
}
