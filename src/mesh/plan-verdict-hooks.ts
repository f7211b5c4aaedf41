import { envoy, inHttpFilters, networkRbacMetadata, httpRbacMetadata, verdictKey, type PatchContext } from './envoy-types.ts';
import type { MeshObject } from './mesh-object.ts';
import { meshObject, type AuthorizationRule, type ConfigPatch, type Ownership } from './object-kinds.ts';
import { verdictShards } from './scope.ts';

/** Where verdicts are given and asked for: the proxies of one workload, or the gateway's. */
export interface VerdictPlace {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly context: PatchContext;
  /** Begins the names of hooks, lists and fence. */
  readonly name: string;
  readonly hasHttp: boolean;
  /** Workload ports without HTTP. */
  readonly tcpPorts: readonly number[];
}
export const httpListName = (place: VerdictPlace, shard: string): string => `${place.name}-verdicts-${shard}`;
export const tcpListName = (place: VerdictPlace, shard: string): string => `${place.name}-tcp-verdicts-${shard}`;

/** Asks by ADS for a list that says nothing until it arrives: the fence then refuses. */
const hook = (name: string, typeUrl: string, nothing: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  name,
  config_discovery: {
    config_source: { ads: {}, resource_api_version: 'V3' },
    default_config: { '@type': typeUrl, ...nothing },
    apply_default_config_without_warming: true,
    type_urls: [typeUrl],
  },
});
/** The hooks never change while bindings come and go, so that no listener is replaced and nobody's stream is cut. */
export function planVerdictHooks(place: VerdictPlace, ownership: Ownership): MeshObject {
  const patches: ConfigPatch[] = [];
  if (place.hasHttp) {
    for (const shard of verdictShards) {
      const value = hook(httpListName(place, shard), envoy.httpRbac, {});
      patches.push({ applyTo: 'HTTP_FILTER', match: inHttpFilters(place.context), patch: { operation: 'INSERT_FIRST', value } });
    }
  }
  for (const destinationPort of place.tcpPorts) {
    for (const shard of verdictShards) {
      const value = hook(tcpListName(place, shard), envoy.networkRbac, { stat_prefix: 'meshbroker' });
      const match = { context: place.context, listener: { filterChain: { destinationPort } } };
      patches.push({ applyTo: 'NETWORK_FILTER', match, patch: { operation: 'INSERT_FIRST', value } });
    }
  }
  return meshObject('EnvoyFilter', place.namespace, `${place.name}-verdict-hooks`, ownership, {
    workloadSelector: { labels: { ...place.selector } },
    priority: 10,
    configPatches: patches,
  });
}
const askedFor = (filter: string): string => `experimental.${filter}[${verdictKey}]`;

/** Lets in whoever has a verdict of ours. Names the trust domain, because a verdict is given to a principal of it only. */
export function planFence(place: VerdictPlace, trustDomain: string, ownership: Ownership): MeshObject {
  const from = (): NonNullable<AuthorizationRule['from']> => [{ source: { principals: [`${trustDomain}/*`] } }];
  const rules: AuthorizationRule[] = [];
  if (place.hasHttp) rules.push({ from: from(), when: [{ key: askedFor(httpRbacMetadata), values: ['mb-*'] }] });
  if (place.tcpPorts.length > 0) {
    rules.push({
      from: from(),
      to: [{ operation: { ports: place.tcpPorts.map(String) } }],
      when: [{ key: askedFor(networkRbacMetadata), values: ['mb-*'] }],
    });
  }
  return meshObject('AuthorizationPolicy', place.namespace, `${place.name}-fence`, ownership, {
    selector: { matchLabels: { ...place.selector } },
    action: 'ALLOW',
    rules,
  });
}
