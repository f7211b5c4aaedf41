import { reference, sha256Hex } from '../../src/kernel/ids.ts';
import type { Consumer, ConsumerKind } from '../../src/mesh/consumer.ts';
import type { Contribution, GuardDefinition, PlanSnapshot } from '../../src/mesh/contribution.ts';
import type { MeshService } from '../../src/mesh/mesh-service.ts';
import type { MeshSettings } from '../../src/mesh/mesh-settings.ts';
import type { RouteRule, TrafficPlan } from '../../src/mesh/traffic-plan.ts';

export const meshSettings: MeshSettings = {
  trustDomain: 'mesh.example.com',
  bindingTrustDomain: 'bindings.example.com',
  gateway: {
    namespace: 'istio-ingress',
    selector: { istio: 'ingressgateway' },
    serviceAccount: 'istio-ingressgateway',
    hostPattern: '{binding}.osb.example.com',
    port: 8443,
    credentialName: 'osb-server-cert',
  },
};
export const ordersService: MeshService = {
  namespace: 'shop',
  hosts: ['orders.shop.svc.cluster.local'],
  ports: [{ name: 'http', number: 8080, protocol: 'HTTP' }],
  workloadSelector: { app: 'orders' },
  serviceAccount: 'orders',
  subsets: [
    { name: 'v1', labels: { version: 'v1' } },
    { name: 'v2', labels: { version: 'v2' } },
  ],
  grantForm: 'verdict',
  waypoint: 'waypoint',
  existingCallers: ['mesh.example.com/ns/shop/sa/checkout'],
};
/** HTTP on a target port of its own, gRPC, TCP and TLS. */
export const manyPorts: MeshService = {
  ...ordersService,
  ports: [
    { name: 'http', number: 80, protocol: 'HTTP', targetPort: 8080 },
    { name: 'grpc', number: 9090, protocol: 'GRPC' },
    { name: 'queue', number: 5672, protocol: 'TCP' },
    { name: 'ledger', number: 8444, protocol: 'TLS' },
  ],
};
export const aRule = (overrides: Partial<RouteRule> = {}): RouteRule => ({
  name: 'all',
  match: null,
  split: [{ subset: null, weight: 100 }],
  timeout: null,
  retries: null,
  mirror: null,
  fault: null,
  ...overrides,
});
export const aTraffic = (name: string, overrides: Partial<TrafficPlan> = {}): TrafficPlan => ({
  tag: sha256Hex(`plan/${name}`).slice(0, 8),
  access: [],
  routes: [],
  retryBudget: null,
  loadBalancing: null,
  locality: null,
  connectionPool: null,
  outlierDetection: null,
  limits: { requestsPerSecond: null, burst: null, requestsPerMonth: null },
  maxConnectionDuration: null,
  routePriority: 0,
  ...overrides,
});
/** Says something in every field. */
export const goldTraffic: TrafficPlan = aTraffic('gold', {
  access: [
    { methods: ['GET', 'POST'], paths: ['/v1/orders', '/v1/orders/{*}', '/v1/archive/*'], grpcServices: [], ports: [] },
    { methods: ['GET'], paths: ['*/health'], grpcServices: ['shop.orders.v1.Orders'], ports: [] },
  ],
  routes: [
    aRule({
      name: 'canary',
      match: { path: { prefix: '/v1/' }, headers: [{ name: 'x-canary', value: { exact: 'true' } }], methods: ['GET', 'POST'] },
      split: [{ subset: 'v2', weight: 100 }],
      timeout: '2s',
    }),
    aRule({
      name: 'split',
      split: [
        { subset: 'v1', weight: 95 },
        { subset: 'v2', weight: 5 },
      ],
      timeout: '3s',
      retries: { attempts: 2, perTryTimeout: '1s', retryOn: ['gateway-error', 'connect-failure'] },
      mirror: { host: null, subset: 'v2', percent: 1 },
      fault: { delay: { duration: '200ms', percent: 0.1 }, abort: { status: 503, percent: 0.5 } },
    }),
  ],
  retryBudget: { percent: 20, minRetryConcurrency: 3 },
  loadBalancing: { algorithm: 'LEAST_REQUEST', consistentHashHeader: null, warmup: '30s' },
  locality: { failoverPriority: ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'] },
  connectionPool: { maxConnections: 50, connectTimeout: '2s', maxPendingRequests: 64, maxRequests: 200, idleTimeout: '60s' },
  outlierDetection: {
    consecutive5xxErrors: 5,
    consecutiveGatewayErrors: 3,
    interval: '10s',
    baseEjectionTime: '30s',
    maxEjectionPercent: 50,
  },
  limits: { requestsPerSecond: 100, burst: 200, requestsPerMonth: 1_000_000 },
  maxConnectionDuration: '1m30s',
});
const kinds: readonly ConsumerKind[] = ['sidecar', 'ambient', 'vm', 'off-mesh'];
export interface ContributionParts {
  readonly binding?: string;
  readonly kind?: ConsumerKind;
  readonly service?: Partial<MeshService>;
  readonly traffic?: TrafficPlan;
  readonly consumer?: Partial<Consumer>;
  readonly offeringId?: string;
}
export function aSnapshot({ service, traffic = aTraffic('standard'), offeringId = 'orders-id' }: ContributionParts = {}): PlanSnapshot {
  const plan = `plan-${traffic.tag}`;
  return { offeringId, offeringName: 'orders', planId: plan, planName: plan, service: { ...ordersService, ...service }, traffic };
}
/** A granted binding of service account `frontend` in namespace web; off-mesh with an identity of its own. */
export function aContribution(parts: ContributionParts = {}): Contribution {
  const { binding = 'binding-1', kind = 'sidecar' } = parts;
  const bindingRef = reference('platform', binding);
  const usual: Consumer =
    kind === 'off-mesh'
      ? { kind, namespace: 'cf-acme', serviceAccount: bindingRef, workloadLabels: {} }
      : { kind, namespace: 'web', serviceAccount: 'frontend', workloadLabels: { app: 'frontend' } };
  const consumer = { ...usual, ...parts.consumer };
  const domain = kind === 'off-mesh' ? meshSettings.bindingTrustDomain : meshSettings.trustDomain;
  return {
    bindingRef,
    instanceRef: reference('instance', 'platform', 'instance-1'),
    bindingId: binding,
    instanceId: 'instance-1',
    principal: `spiffe://${domain}/ns/${consumer.namespace}/sa/${consumer.serviceAccount}`,
    consumer,
    exposure: 'granted',
    snapshot: aSnapshot(parts),
  };
}
export function aGuard(parts: ContributionParts & { readonly kinds?: readonly ConsumerKind[] } = {}): GuardDefinition {
  const { offeringId, offeringName, service, traffic, planId, planName } = aSnapshot({ traffic: goldTraffic, ...parts });
  return { offeringId, offeringName, service, plans: [{ planId, planName, traffic, consumerKinds: parts.kinds ?? kinds }] };
}
