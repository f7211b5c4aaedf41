import type { ConfigPatch } from './object-kinds.ts';

/** Type URLs of the few Envoy messages that our templates hold. */
const type = (name: string): string => `type.googleapis.com/${name}`;
export const envoy = {
  httpRbac: type('envoy.extensions.filters.http.rbac.v3.RBAC'),
  networkRbac: type('envoy.extensions.filters.network.rbac.v3.RBAC'),
  rbacAction: type('envoy.config.rbac.v3.Action'),
  tcpProxy: type('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy'),
  localRateLimit: type('envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'),
  descriptorExpression: type('envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor'),
  headerInput: type('envoy.type.matcher.v3.HttpRequestHeaderMatchInput'),
  destinationPortInput: type('envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput'),
  uriSanInput: type('envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput'),
} as const;

/** Verdicts are told in the metadata of the RBAC filter under keys with this prefix, beside those of Istio's own policies. */
export const verdictPrefix = 'meshbroker_';
export const verdictKey = `${verdictPrefix}shadow_effective_policy_id`;
export const httpRbacMetadata = 'envoy.filters.http.rbac';
export const networkRbacMetadata = 'envoy.filters.network.rbac';

export type PatchContext = 'SIDECAR_INBOUND' | 'GATEWAY';
const connectionManager = 'envoy.filters.network.http_connection_manager';
export const inHttpFilters = (context: PatchContext): NonNullable<ConfigPatch['match']> => ({
  context,
  listener: { filterChain: { filter: { name: connectionManager } } },
});
export const atRouter = (context: PatchContext): NonNullable<ConfigPatch['match']> => ({
  context,
  listener: { filterChain: { filter: { name: connectionManager, subFilter: { name: 'envoy.filters.http.router' } } } },
});
