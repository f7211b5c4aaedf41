import { composeRoutes, takesEverything } from './compose-routes.ts';
import type { MeshService, ServicePort } from './mesh-service.ts';
import { given, type HttpMatch, type HttpRoute, type ObjectSpecs, type TcpRoute, type TlsRoute } from './object-kinds.ts';
import type { RouteAction, RouteClaim, RouteFragment } from './route-fragment.ts';
import { httpPorts, tcpPorts } from './service-ports.ts';
import type { RouteMatch, StringMatch } from './traffic-plan.ts';

/** How a route's subset is called in the DestinationRule of this place. */
export type SubsetNaming = (claimRef: string, subset: string | null) => string | undefined;
export interface RoutePlace {
  /** The host that the routes lead to. */
  readonly destinationHost: string;
  readonly subsetName: SubsetNaming;
  /** Off at a gateway, where a route cannot see the caller's labels. */
  readonly sourceLabels: boolean;
  /** Whether callers without a binding keep a route, last in each port's list. */
  readonly defaultRoute: boolean;
}
type Spec = ObjectSpecs['VirtualService'];

/** The `http`, `tcp` and `tls` lists of a VirtualService, composed from all claims on these ports. */
export function composedRoutes(
  service: Pick<MeshService, 'ports'>,
  claims: readonly Omit<RouteClaim, 'ports'>[],
  place: RoutePlace,
  host: string,
): Pick<Spec, 'http' | 'tcp' | 'tls'> {
  const requestPorts = httpPorts(service);
  const requests = requestPorts.length === 0 ? [] : composeRoutes(claims.map((claim) => ({ ...claim, ports: requestPorts })));
  const http = [...requests.map((fragment) => httpRoute(fragment, requestPorts, place)), ...defaultRoutes(requests, requestPorts, place)];
  const connections = tcpPorts(service);
  const streams = connections.length === 0 ? [] : composeRoutes(claims.map((claim) => streamClaim(claim, connections)));
  const streamPorts = (protocol: 'TCP' | 'TLS'): readonly ServicePort[] => connections.filter((port) => port.protocol === protocol);
  const tcp = streamRoutes(streams, streamPorts('TCP'), place).map(({ labels, port, route }): TcpRoute => ({
    match: [{ port: port.number, ...labels }],
    route: [...route],
  }));
  const tls = streamRoutes(streams, streamPorts('TLS'), place).map(({ labels, port, route }): TlsRoute => ({
    match: [{ port: port.number, sniHosts: [host], ...labels }],
    route: [...route],
  }));
  return { ...(http.length === 0 ? {} : { http }), ...(tcp.length === 0 ? {} : { tcp }), ...(tls.length === 0 ? {} : { tls }) };
}
/** Streams have no requests to tell apart: of a plan only the split of the rule that takes everything counts. */
function streamClaim(claim: Omit<RouteClaim, 'ports'>, ports: readonly ServicePort[]): RouteClaim {
  const routes = claim.traffic.routes
    .filter(({ match }) => match === null)
    .map((rule) => ({ ...rule, timeout: null, retries: null, mirror: null, fault: null }));
  return { ...claim, ports, traffic: { ...claim.traffic, routes } };
}
interface StreamRoute {
  readonly labels: { sourceLabels?: Record<string, string> };
  readonly port: ServicePort;
  readonly route: readonly Destination[];
}
function streamRoutes(fragments: readonly RouteFragment[], ports: readonly ServicePort[], place: RoutePlace): readonly StreamRoute[] {
  return ports.flatMap((port) => {
    const own = fragments.filter((fragment) => fragment.port.number === port.number);
    const routes: StreamRoute[] = own.map((fragment) => ({ labels: sourceLabels(fragment, place), port, route: split(fragment, place) }));
    if (place.defaultRoute && !own.some(takesEverything)) routes.push({ labels: {}, port, route: [destination(place, port, undefined)] });
    return routes;
  });
}
function sourceLabels({ labels }: RouteFragment, place: RoutePlace): { sourceLabels?: Record<string, string> } {
  return place.sourceLabels && Object.keys(labels).length > 0 ? { sourceLabels: { ...labels } } : {};
}
type Destination = NonNullable<HttpRoute['route']>[number];
const destination = (place: RoutePlace, port: ServicePort, subset: string | undefined): Destination => ({
  destination: { host: place.destinationHost, port: { number: port.number }, ...(subset === undefined ? {} : { subset }) },
});
function split({ owners, port, action }: RouteFragment, place: RoutePlace): readonly Destination[] {
  const shares = action.split.filter(({ weight }) => weight > 0);
  return shares.map(({ subset, weight }) => ({
    ...destination(place, port, place.subsetName(owners[0] ?? '', subset)),
    ...(shares.length > 1 ? { weight } : {}),
  }));
}
function httpRoute(fragment: RouteFragment, ports: readonly ServicePort[], place: RoutePlace): HttpRoute {
  const match = httpMatches(fragment, ports.length > 1, place);
  return {
    name: `${fragment.owners[0] ?? ''}/${fragment.index}`,
    ...(match.length === 0 ? {} : { match: [...match] }),
    route: [...split(fragment, place)],
    ...treatment(fragment, place),
  };
}
/** The offering's own route for whoever else calls from this namespace, so that no unbind takes it away from them. */
function defaultRoutes(fragments: readonly RouteFragment[], ports: readonly ServicePort[], place: RoutePlace): readonly HttpRoute[] {
  if (!place.defaultRoute) return [];
  const open = ports.filter((port) => !fragments.some((fragment) => fragment.port.number === port.number && takesEverything(fragment)));
  return open.map((port) => ({
    name: ports.length > 1 ? `default/${port.number}` : 'default',
    ...(ports.length > 1 ? { match: [{ port: port.number }] } : {}),
    route: [destination(place, port, undefined)],
  }));
}
const stringMatch = (match: StringMatch): { exact: string } | { prefix: string } | { regex: string } => ({ ...match });
function httpMatches(fragment: RouteFragment, severalPorts: boolean, place: RoutePlace): readonly HttpMatch[] {
  const { match, port } = fragment;
  const base: HttpMatch = {
    ...sourceLabels(fragment, place),
    ...(severalPorts ? { port: port.number } : {}),
    ...uriMatch(match),
    ...headerMatches(match),
  };
  const methods = match?.methods ?? [];
  if (methods.length > 0) return methods.map((method) => ({ ...base, method: { exact: method } }));
  return Object.keys(base).length === 0 ? [] : [base];
}
const uriMatch = (match: RouteMatch | null): Pick<HttpMatch, 'uri'> =>
  match === null || match.path === null ? {} : { uri: stringMatch(match.path) };
function headerMatches(match: RouteMatch | null): Pick<HttpMatch, 'headers'> {
  if (match === null || match.headers.length === 0) return {};
  return { headers: Object.fromEntries(match.headers.map(({ name, value }) => [name.toLowerCase(), stringMatch(value)])) };
}
function treatment({ action, owners, port }: RouteFragment, place: RoutePlace): Partial<HttpRoute> {
  const { timeout, mirror } = action;
  const { destination: mirrored } = destination(
    place,
    port,
    mirror === null ? undefined : place.subsetName(owners[0] ?? '', mirror.subset),
  );
  return given({
    timeout: timeout ?? undefined,
    retries: retries(action),
    mirrors:
      mirror === null
        ? undefined
        : [
            {
              destination: mirror.host === null ? mirrored : { host: mirror.host, port: { number: port.number } },
              percentage: { value: mirror.percent },
            },
          ],
    fault: fault(action),
  });
}
function retries({ retries: wanted }: RouteAction): HttpRoute['retries'] {
  if (wanted === null) return undefined;
  return {
    attempts: wanted.attempts,
    ...(wanted.perTryTimeout === null ? {} : { perTryTimeout: wanted.perTryTimeout }),
    ...(wanted.retryOn.length === 0 ? {} : { retryOn: wanted.retryOn.join(',') }),
  };
}
function fault({ fault: wanted }: RouteAction): HttpRoute['fault'] {
  if (wanted === null || (wanted.delay === null && wanted.abort === null)) return undefined;
  const { delay, abort } = wanted;
  return {
    ...(delay === null ? {} : { delay: { fixedDelay: delay.duration, percentage: { value: delay.percent } } }),
    ...(abort === null ? {} : { abort: { httpStatus: abort.status, percentage: { value: abort.percent } } }),
  };
}
