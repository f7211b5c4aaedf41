/** What a plan does to traffic. Durations are Istio's text form (`2s`, `150ms`); percentages are 0–100. Plain JSON. */
export interface AccessRule {
  /** Empty: any. */
  readonly methods: readonly string[];
  /** Istio path forms: exact, `/prefix/*`, `*suffix`, templates `{*}` and `{**}`. Empty: any. */
  readonly paths: readonly string[];
  /** gRPC services (`shop.orders.v1.Orders`): all their methods. Empty: any. */
  readonly grpcServices: readonly string[];
  /** Port numbers of the service. Empty: all its ports. */
  readonly ports: readonly number[];
}
export type StringMatch = { readonly exact: string } | { readonly prefix: string } | { readonly regex: string };
export interface RouteMatch {
  readonly path: StringMatch | null;
  readonly headers: readonly { readonly name: string; readonly value: StringMatch }[];
  readonly methods: readonly string[];
}
export interface RouteRule {
  /** Unique within the plan. */
  readonly name: string;
  /** null: every request. */
  readonly match: RouteMatch | null;
  /** Weights add to 100. Subset null: the whole service. */
  readonly split: readonly { readonly subset: string | null; readonly weight: number }[];
  readonly timeout: string | null;
  readonly retries: { readonly attempts: number; readonly perTryTimeout: string | null; readonly retryOn: readonly string[] } | null;
  readonly mirror: { readonly host: string | null; readonly subset: string | null; readonly percent: number } | null;
  readonly fault: {
    readonly delay: { readonly duration: string; readonly percent: number } | null;
    readonly abort: { readonly status: number; readonly percent: number } | null;
  } | null;
}
export interface LoadBalancing {
  readonly algorithm: 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM' | 'PASSTHROUGH';
  readonly consistentHashHeader: string | null;
  readonly warmup: string | null;
}
export interface Locality {
  readonly failoverPriority: readonly string[];
}
export interface ConnectionPool {
  readonly maxConnections: number | null;
  readonly connectTimeout: string | null;
  readonly maxPendingRequests: number | null;
  readonly maxRequests: number | null;
  readonly idleTimeout: string | null;
}
export interface OutlierDetection {
  readonly consecutive5xxErrors: number | null;
  readonly consecutiveGatewayErrors: number | null;
  readonly interval: string | null;
  readonly baseEjectionTime: string | null;
  readonly maxEjectionPercent: number | null;
}
export interface Limits {
  /** Per proxy of the service and binding. */
  readonly requestsPerSecond: number | null;
  readonly burst: number | null;
  /** Recorded and reported, not yet enforced. */
  readonly requestsPerMonth: number | null;
}
export interface TrafficPlan {
  /** 8 lower-case hexadecimal characters of sha256(plan id): the suffix of a verdict (`mb-….1a2b3c4d`) by which limits find the plan. */
  readonly tag: string;
  /** Empty: everything on every port. */
  readonly access: readonly AccessRule[];
  /** In order of precedence; a default route is added by the planner when no rule takes every request. */
  readonly routes: readonly RouteRule[];
  readonly retryBudget: { readonly percent: number; readonly minRetryConcurrency: number } | null;
  readonly loadBalancing: LoadBalancing | null;
  readonly locality: Locality | null;
  readonly connectionPool: ConnectionPool | null;
  readonly outlierDetection: OutlierDetection | null;
  readonly limits: Limits;
  /** TCP and TLS ports: bounds how long a revoked open connection lives. */
  readonly maxConnectionDuration: string | null;
  /** Higher wins where two bindings of one workload want different routes for the same requests; equal and different is a conflict. */
  readonly routePriority: number;
}
