import { atRouter, envoy, httpRbacMetadata, verdictKey, type PatchContext } from './envoy-types.ts';
import type { MeshObject } from './mesh-object.ts';
import type { GrantForm } from './mesh-service.ts';
import { meshObject, type ConfigPatch, type ObjectSpecs, type Ownership } from './object-kinds.ts';
import type { Limits } from './traffic-plan.ts';

type Json = Readonly<Record<string, unknown>>;
/** Buckets that a proxy keeps at most, the least used leaves first; more live bindings than this would share nothing but start full again. */
const bucketsPerProxy = 10_000;
/** Plans per expression: CEL nests its conditions, and parsers bound the depth. */
const plansPerExpression = 40;
/** What answers a request that no plan limits: never empty. */
const unlimited = 1_000_000_000;

export interface PlanLimits {
  readonly tag: string;
  readonly limits: Limits;
}

export interface TokenBucket {
  readonly max_tokens: number;
  readonly tokens_per_fill: number;
  readonly fill_interval: string;
}
/** Whole tokens in whole seconds, as Envoy takes them; a rate that does not fit in a minute is rounded down, at least one token. */
export function tokenBucket(requestsPerSecond: number, burst: number | null): TokenBucket {
  let seconds = 1;
  while (seconds < 60 && Math.abs(requestsPerSecond * seconds - Math.round(requestsPerSecond * seconds)) > 1e-9) seconds += 1;
  const tokens = Math.max(1, Math.floor(requestsPerSecond * seconds + 1e-9));
  return { max_tokens: Math.max(1, Math.floor(burst ?? tokens)), tokens_per_fill: tokens, fill_interval: `${seconds}s` };
}
/**
 * A bucket per binding and proxy, found by what let the request in and by the plan's tag in its name. Nothing changes when a binding
 * comes or goes, so no bucket is refilled by somebody else's bind. undefined: no plan limits anything.
 */
export function planLimits(
  namespace: string,
  name: string,
  ownership: Ownership,
  target: Pick<ObjectSpecs['EnvoyFilter'], 'workloadSelector' | 'targetRefs'>,
  place: PatchContext | 'WAYPOINT',
  plans: readonly PlanLimits[],
  forms: readonly GrantForm[],
): MeshObject | undefined {
  const limited = plans.filter(({ limits }) => limits.requestsPerSecond !== null).sort((a, b) => (a.tag < b.tag ? -1 : 1));
  if (limited.length === 0) return undefined;
  const patch: NonNullable<ConfigPatch['patch']> = { operation: 'INSERT_BEFORE', value: limitFilter(limited, forms) };
  return meshObject('EnvoyFilter', namespace, name, ownership, {
    ...target,
    priority: 20,
    configPatches: [{ applyTo: 'HTTP_FILTER', match: place === 'WAYPOINT' ? atWaypointRouter : atRouter(place), patch }],
  });
}
const atWaypointRouter: NonNullable<ConfigPatch['match']> = {
  context: 'WAYPOINT',
  waypoint: { filter: { name: 'envoy.filters.network.http_connection_manager', subFilter: { name: 'envoy.filters.http.router' } } },
};
function limitFilter(plans: readonly PlanLimits[], forms: readonly GrantForm[]): Json {
  const always = { numerator: 100, denominator: 'HUNDRED' };
  return {
    name: 'envoy.filters.http.local_ratelimit',
    typed_config: {
      '@type': envoy.localRateLimit,
      stat_prefix: 'meshbroker',
      filter_enabled: { runtime_key: 'meshbroker.limits_enabled', default_value: always },
      filter_enforced: { runtime_key: 'meshbroker.limits_enforced', default_value: always },
      token_bucket: { max_tokens: unlimited, tokens_per_fill: unlimited, fill_interval: '1s' },
      always_consume_default_token_bucket: false,
      enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
      max_dynamic_descriptors: bucketsPerProxy,
      rate_limits: forms.flatMap((form) => inChunks(plans).map((chunk) => rateLimit(form, chunk))),
      descriptors: plans.map(({ tag, limits }) => ({
        entries: [{ key: 'binding' }, { key: 'plan', value: tag }],
        token_bucket: tokenBucket(limits.requestsPerSecond ?? unlimited, limits.burst),
      })),
    },
  };
}
function inChunks(plans: readonly PlanLimits[]): readonly (readonly PlanLimits[])[] {
  const chunks: (readonly PlanLimits[])[] = [];
  for (let start = 0; start < plans.length; start += plansPerExpression) chunks.push(plans.slice(start, start + plansPerExpression));
  return chunks;
}
/** Descriptors (binding, plan), from what let the request in: our verdict or the policy of its grant. A request without the metadata has none and is not limited. */
function rateLimit(form: GrantForm, plans: readonly PlanLimits[]): Json {
  const key = form === 'verdict' ? verdictKey : 'enforced_effective_policy_id';
  const id = `metadata.filter_metadata['${httpRbacMetadata}']['${key}']`;
  const isOf = (tag: string): string => (form === 'verdict' ? `${id}.endsWith('.${tag}')` : `${id}.contains('.${tag}]')`);
  const text = plans.map(({ tag }) => `${isOf(tag)} ? '${tag}' : `).join('') + `'none'`;
  return {
    actions: [
      { metadata: { descriptor_key: 'binding', source: 'DYNAMIC', metadata_key: { key: httpRbacMetadata, path: [{ key }] } } },
      {
        extension: {
          name: 'envoy.rate_limit_descriptors.expr',
          typed_config: { '@type': envoy.descriptorExpression, descriptor_key: 'plan', text },
        },
      },
    ],
  };
}
