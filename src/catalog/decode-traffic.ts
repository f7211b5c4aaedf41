import { sha256Hex } from '../kernel/ids.ts';
import type {
  AccessRule,
  ConnectionPool,
  Limits,
  LoadBalancing,
  OutlierDetection,
  RouteMatch,
  RouteRule,
  StringMatch,
  TrafficPlan,
} from '../mesh/traffic-plan.ts';
import type { AccessFile, MatchFile, RouteFile, TrafficFile } from './offering-file.ts';

/** Conditions under which a request was not yet worked on, so that repeating it is safe. */
const safeRetries: readonly string[] = ['connect-failure', 'refused-stream', 'unavailable'];

/** The traffic part of a plan, every default filled in. */
export function decodeTraffic(planId: string, file: TrafficFile): TrafficPlan {
  const budget = file.retry_budget;
  return {
    tag: sha256Hex(planId).slice(0, 8),
    access: (file.access ?? []).map(decodeAccess),
    routes: (file.routes ?? []).map(decodeRoute),
    retryBudget: budget === undefined ? null : { percent: budget.percent, minRetryConcurrency: budget.min_retry_concurrency ?? 3 },
    loadBalancing: decodeLoadBalancing(file.load_balancing),
    locality: file.locality === undefined ? null : { failoverPriority: file.locality.failover_priority },
    connectionPool: decodeConnectionPool(file.connection_pool),
    outlierDetection: decodeOutlierDetection(file.outlier_detection),
    limits: decodeLimits(file.limits),
    maxConnectionDuration: file.max_connection_duration ?? null,
    routePriority: file.route_priority ?? 0,
  };
}
const decodeAccess = (file: AccessFile): AccessRule => ({
  methods: file.methods ?? [],
  paths: file.paths ?? [],
  grpcServices: file.grpc_services ?? [],
  ports: file.ports ?? [],
});
function decodeMatch({ exact, prefix, regex }: MatchFile): StringMatch {
  if (exact !== undefined) return { exact };
  return prefix === undefined ? { regex: regex ?? '' } : { prefix };
}
function decodeRouteMatch(file: NonNullable<RouteFile['match']>): RouteMatch | null {
  const headers = Object.entries(file.headers ?? {})
    .map(([name, value]) => ({ name, value: decodeMatch(value) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const methods = file.methods ?? [];
  if (file.path === undefined && headers.length === 0 && methods.length === 0) return null;
  return { path: file.path === undefined ? null : decodeMatch(file.path), headers, methods };
}
const decodeRetries = (file: NonNullable<RouteFile['retries']>): RouteRule['retries'] => ({
  attempts: file.attempts,
  perTryTimeout: file.per_try_timeout ?? null,
  retryOn: file.retry_on ?? safeRetries,
});
function decodeRoute(file: RouteFile): RouteRule {
  const { retries, mirror, fault } = file;
  return {
    name: file.name,
    match: file.match === undefined ? null : decodeRouteMatch(file.match),
    split: (file.split ?? [{ weight: 100 }]).map(({ subset, weight }) => ({ subset: subset ?? null, weight })),
    timeout: file.timeout ?? null,
    retries: retries === undefined ? null : decodeRetries(retries),
    mirror: mirror === undefined ? null : { host: mirror.host ?? null, subset: mirror.subset ?? null, percent: mirror.percent ?? 100 },
    fault: fault === undefined ? null : { delay: fault.delay ?? null, abort: fault.abort ?? null },
  };
}
function decodeLoadBalancing(file: TrafficFile['load_balancing']): LoadBalancing | null {
  if (file === undefined) return null;
  return {
    algorithm: file.algorithm ?? 'LEAST_REQUEST',
    consistentHashHeader: file.consistent_hash_header ?? null,
    warmup: file.warmup ?? null,
  };
}
function decodeConnectionPool(file: TrafficFile['connection_pool']): ConnectionPool | null {
  if (file === undefined) return null;
  return {
    maxConnections: file.max_connections ?? null,
    connectTimeout: file.connect_timeout ?? null,
    maxPendingRequests: file.max_pending_requests ?? null,
    maxRequests: file.max_requests ?? null,
    idleTimeout: file.idle_timeout ?? null,
  };
}
function decodeOutlierDetection(file: TrafficFile['outlier_detection']): OutlierDetection | null {
  if (file === undefined) return null;
  return {
    consecutive5xxErrors: file.consecutive_5xx_errors ?? null,
    consecutiveGatewayErrors: file.consecutive_gateway_errors ?? null,
    interval: file.interval ?? null,
    baseEjectionTime: file.base_ejection_time ?? null,
    maxEjectionPercent: file.max_ejection_percent ?? null,
  };
}
function decodeLimits(file: TrafficFile['limits']): Limits {
  const perSecond = file?.requests_per_second ?? null;
  return { requestsPerSecond: perSecond, burst: file?.burst ?? perSecond, requestsPerMonth: file?.requests_per_month ?? null };
}
