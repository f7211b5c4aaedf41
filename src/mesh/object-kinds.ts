import type { IGRPCRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/GRPCRoute';
import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute';
import type { IDestinationRule } from '@kubernetes-models/istio/networking.istio.io/v1/DestinationRule';
import type { IGateway } from '@kubernetes-models/istio/networking.istio.io/v1/Gateway';
import type { IVirtualService } from '@kubernetes-models/istio/networking.istio.io/v1/VirtualService';
import type { IWorkloadGroup } from '@kubernetes-models/istio/networking.istio.io/v1/WorkloadGroup';
import type { IEnvoyFilter } from '@kubernetes-models/istio/networking.istio.io/v1alpha3/EnvoyFilter';
import type { IAuthorizationPolicy } from '@kubernetes-models/istio/security.istio.io/v1/AuthorizationPolicy';
import type { IPeerAuthentication } from '@kubernetes-models/istio/security.istio.io/v1/PeerAuthentication';
import type { ITelemetry } from '@kubernetes-models/istio/telemetry.istio.io/v1/Telemetry';
import type { MeshObject } from './mesh-object.ts';

/** The closed list of kinds that we write; nothing cluster-scoped, nothing that runs foreign code. */
export const objectKinds = {
  PeerAuthentication: 'security.istio.io/v1',
  AuthorizationPolicy: 'security.istio.io/v1',
  EnvoyFilter: 'networking.istio.io/v1alpha3',
  Telemetry: 'telemetry.istio.io/v1',
  VirtualService: 'networking.istio.io/v1',
  DestinationRule: 'networking.istio.io/v1',
  Gateway: 'networking.istio.io/v1',
  WorkloadGroup: 'networking.istio.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  GRPCRoute: 'gateway.networking.k8s.io/v1',
  Service: 'v1',
} as const;
export type ObjectKind = keyof typeof objectKinds;

/** The part of a core Service that we write: a name of one's own for workloads that exist. */
export interface ServiceSpec {
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: number; readonly appProtocol: string }[];
}
export interface ObjectSpecs {
  PeerAuthentication: NonNullable<IPeerAuthentication['spec']>;
  AuthorizationPolicy: NonNullable<IAuthorizationPolicy['spec']>;
  EnvoyFilter: NonNullable<IEnvoyFilter['spec']>;
  Telemetry: NonNullable<ITelemetry['spec']>;
  VirtualService: NonNullable<IVirtualService['spec']>;
  DestinationRule: NonNullable<IDestinationRule['spec']>;
  Gateway: NonNullable<IGateway['spec']>;
  WorkloadGroup: NonNullable<IWorkloadGroup['spec']>;
  HTTPRoute: IHTTPRoute['spec'];
  GRPCRoute: NonNullable<IGRPCRoute['spec']>;
  Service: ServiceSpec;
}
type ElementOf<List> = NonNullable<List> extends readonly (infer Element)[] ? Element : never;
export type AuthorizationRule = ElementOf<ObjectSpecs['AuthorizationPolicy']['rules']>;
export type ConfigPatch = ElementOf<ObjectSpecs['EnvoyFilter']['configPatches']>;
export type HttpRoute = ElementOf<ObjectSpecs['VirtualService']['http']>;
export type HttpMatch = ElementOf<HttpRoute['match']>;
export type TcpRoute = ElementOf<ObjectSpecs['VirtualService']['tcp']>;
export type TlsRoute = ElementOf<ObjectSpecs['VirtualService']['tls']>;
export type TrafficPolicy = NonNullable<ObjectSpecs['DestinationRule']['trafficPolicy']>;
export type SubsetPolicy = ElementOf<ObjectSpecs['DestinationRule']['subsets']>;

/** Whose object it is: see object-metadata.ts. */
export interface Ownership {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
export function meshObject<Kind extends ObjectKind>(
  kind: Kind,
  namespace: string,
  name: string,
  { labels, annotations }: Ownership,
  spec: ObjectSpecs[Kind],
): MeshObject {
  return { apiVersion: objectKinds[kind], kind, metadata: { name, namespace, labels, annotations }, spec: { ...spec } };
}
/** Without the fields that are undefined: what is not said is not written. */
export function given<Fields extends object>(fields: Fields): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> };
}
