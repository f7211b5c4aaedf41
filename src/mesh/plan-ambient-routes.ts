import type { IGRPCRouteRule } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/GRPCRouteRule';
import type { IHTTPRouteRule } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRouteRule';
import type { Contribution } from './contribution.ts';
import { gatewayApiDuration } from './duration.ts';
import type { MeshObject } from './mesh-object.ts';
import type { ServicePort } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject } from './object-kinds.ts';
import { ofBinding } from './object-metadata.ts';
import { escapeRegex } from './request-matcher.ts';
import { fragmentsOf, type RouteFragment } from './route-fragment.ts';
import type { RouteMatch, StringMatch } from './traffic-plan.ts';

export interface AmbientBackends {
  /** Subset → Service. */
  readonly used: ReadonlyMap<string, string>;
  readonly nameOf: (subset: string | null) => string;
  readonly mirrorOf: (host: string) => string | undefined;
}
type Backend = NonNullable<IHTTPRouteRule['backendRefs']>[number];
type Filter = NonNullable<IHTTPRouteRule['filters']>[number];
type HttpMatch = NonNullable<IHTTPRouteRule['matches']>[number];
type GrpcMatch = NonNullable<IGRPCRouteRule['matches']>[number];

const fragmentsAt = ({ bindingRef, snapshot }: Contribution, port: ServicePort): readonly RouteFragment[] =>
  fragmentsOf({ bindingRef, labels: {}, ports: [port], traffic: snapshot.traffic });
const routeName = ({ bindingRef }: Contribution, port: ServicePort): string => `${bindingRef}-${port.number}`;
const parentOf = ({ bindingRef }: Contribution, port: ServicePort): { group: string; kind: string; name: string; port: number } => ({
  group: '',
  kind: 'Service',
  name: bindingRef,
  port: port.number,
});
/** Gateway API orders rules by specificity itself; the names are those of the plan's rules in its order. */
export function planHttpRoute(
  contribution: Contribution,
  port: ServicePort,
  backends: AmbientBackends,
  settings: MeshSettings,
): MeshObject {
  const { namespace } = contribution.snapshot.service;
  const rules = fragmentsAt(contribution, port).map((fragment): IHTTPRouteRule => {
    const matches = httpMatches(fragment.match);
    return {
      name: `rule-${fragment.index}`,
      ...(matches.length === 0 ? {} : { matches }),
      ...filtersOf(fragment, backends),
      backendRefs: backendRefs(fragment, backends),
      ...timeoutsOf(fragment),
    };
  });
  return meshObject('HTTPRoute', namespace, routeName(contribution, port), ofBinding(contribution, settings), {
    parentRefs: [parentOf(contribution, port)],
    rules,
  });
}
export function planGrpcRoute(
  contribution: Contribution,
  port: ServicePort,
  backends: AmbientBackends,
  settings: MeshSettings,
): MeshObject {
  const { namespace } = contribution.snapshot.service;
  const rules = fragmentsAt(contribution, port).map((fragment): IGRPCRouteRule => {
    const matches = grpcMatches(fragment.match);
    return {
      name: `rule-${fragment.index}`,
      ...(matches.length === 0 ? {} : { matches }),
      ...filtersOf(fragment, backends),
      backendRefs: backendRefs(fragment, backends),
    };
  });
  return meshObject('GRPCRoute', namespace, routeName(contribution, port), ofBinding(contribution, settings), {
    parentRefs: [parentOf(contribution, port)],
    rules,
  });
}
function backendRefs({ action, port }: RouteFragment, backends: AmbientBackends): Backend[] {
  const shares = action.split.filter(({ weight }) => weight > 0);
  return shares.map(({ subset, weight }) => ({
    name: backends.nameOf(subset),
    port: port.number,
    ...(shares.length > 1 ? { weight } : {}),
  }));
}
function filtersOf({ action, port }: RouteFragment, backends: AmbientBackends): { filters?: (Filter & { type: 'RequestMirror' })[] } {
  const { mirror } = action;
  if (mirror === null) return {};
  const name = mirror.host === null ? backends.nameOf(mirror.subset) : backends.mirrorOf(mirror.host);
  if (name === undefined) return {};
  const requestMirror = { backendRef: { name, port: port.number }, percent: Math.max(1, Math.round(mirror.percent)) };
  return { filters: [{ type: 'RequestMirror', requestMirror }] };
}
function timeoutsOf({ action }: RouteFragment): Pick<IHTTPRouteRule, 'timeouts'> {
  return action.timeout === null ? {} : { timeouts: { request: gatewayApiDuration(action.timeout) } };
}
type Header = NonNullable<HttpMatch['headers']>[number];
const regexOf = (match: StringMatch): string =>
  'regex' in match ? match.regex : `${escapeRegex('prefix' in match ? match.prefix : match.exact)}.*`;
function headersOf(match: RouteMatch): { headers?: Header[] } {
  if (match.headers.length === 0) return {};
  return {
    headers: match.headers.map(({ name, value }): Header =>
      'exact' in value ? { type: 'Exact', name, value: value.exact } : { type: 'RegularExpression', name, value: regexOf(value) },
    ),
  };
}
/** Gateway API's prefixes end at a segment; one that does not is a regular expression. */
function pathOf(path: StringMatch | null): Pick<HttpMatch, 'path'> {
  if (path === null) return {};
  if ('exact' in path) return { path: { type: 'Exact', value: path.exact } };
  if ('prefix' in path && path.prefix.endsWith('/')) return { path: { type: 'PathPrefix', value: path.prefix } };
  return { path: { type: 'RegularExpression', value: regexOf(path) } };
}
function httpMatches(match: RouteMatch | null): HttpMatch[] {
  if (match === null) return [];
  const base: HttpMatch = { ...pathOf(match.path), ...headersOf(match) };
  if (match.methods.length === 0) return [base];
  return match.methods.map((method) => ({ ...base, method: method as NonNullable<HttpMatch['method']> }));
}
/** A gRPC path is `/<service>/<method>`. */
function grpcMatches(match: RouteMatch | null): GrpcMatch[] {
  if (match === null) return [];
  const { path } = match;
  const headers = headersOf(match);
  if (path === null || 'regex' in path) return Object.keys(headers).length === 0 ? [] : [headers];
  const [, service, method] = ('exact' in path ? path.exact : path.prefix).split('/');
  const named = { ...(service ? { service } : {}), ...('exact' in path && method ? { method } : {}) };
  return [{ ...(Object.keys(named).length === 0 ? {} : { method: { type: 'Exact', ...named } }), ...headers }];
}
