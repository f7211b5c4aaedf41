import { httpRbacMetadata, networkRbacMetadata, verdictKey } from './envoy-types.ts';
import type { MeshSettings } from './mesh-settings.ts';

const metadata = (filter: string, key: string): string => `%DYNAMIC_METADATA(${filter}:${key})%`;
/**
 * Fields of our access log and where Envoy takes them from; `usage import` reads exactly these names. Who called is the verified
 * certificate's URI; `verdict` is `<binding>.<plan tag>`; `policy` the AuthorizationPolicy that decided.
 */
export const accessLogFields: Readonly<Record<string, string>> = {
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  authority: '%REQ(:AUTHORITY)%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  destination_principal: '%DOWNSTREAM_LOCAL_URI_SAN%',
  duration: '%DURATION%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  policy: metadata(httpRbacMetadata, 'enforced_effective_policy_id'),
  protocol: '%PROTOCOL%',
  request_id: '%REQ(X-REQUEST-ID)%',
  response_code: '%RESPONSE_CODE%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  response_flags: '%RESPONSE_FLAGS%',
  route_name: '%ROUTE_NAME%',
  source_principal: '%DOWNSTREAM_PEER_URI_SAN%',
  start_time: '%START_TIME%',
  stream_id: '%STREAM_ID%',
  tcp_policy: metadata(networkRbacMetadata, 'enforced_effective_policy_id'),
  tcp_verdict: metadata(networkRbacMetadata, verdictKey),
  upstream_cluster: '%UPSTREAM_CLUSTER%',
  user_agent: '%REQ(USER-AGENT)%',
  verdict: metadata(httpRbacMetadata, verdictKey),
};
export const accessLogProviderName = (settings: MeshSettings): string => settings.accessLogProvider ?? 'meshbroker-access-log';

/** The entry of MeshConfig's `extensionProviders` that an operator adds once: a Telemetry object can only name a provider. */
export const accessLogProvider = (settings: MeshSettings): Readonly<Record<string, unknown>> => ({
  name: accessLogProviderName(settings),
  envoyFileAccessLog: { path: '/dev/stdout', logFormat: { labels: accessLogFields } },
});
