import type { Plan, ServiceOffering } from '../../src/catalog/offering.ts';
import { decodeOffering } from '../../src/catalog/decode-offering.ts';
import type { OfferingFile, PlanFile } from '../../src/catalog/offering-file.ts';
import type { MeshService } from '../../src/mesh/mesh-service.ts';

const service: OfferingFile['service'] = {
  namespace: 'shop',
  hosts: ['orders.shop.svc.cluster.local'],
  ports: [{ name: 'http', number: 8080, protocol: 'HTTP' }],
  workload_selector: { app: 'orders' },
  service_account: 'orders',
  subsets: [
    { name: 'v1', labels: { version: 'v1' } },
    { name: 'v2', labels: { version: 'v2' } },
  ],
  waypoint: 'waypoint',
};
const planFile: PlanFile = { name: 'standard', description: 'Requests to orders.', consumers: ['sidecar', 'ambient', 'vm', 'off-mesh'] };
const offeringFile: OfferingFile = { name: 'orders', description: 'Orders of the shop.', service, plans: [planFile] };

/** An offering decoded from its file form: `anOfferingFile({ plans: [aPlanFile({ asynchronous: true })] })`. */
export const anOfferingFile = (overrides: Partial<OfferingFile> = {}): OfferingFile => ({ ...offeringFile, ...overrides });
export const aPlanFile = (overrides: Partial<PlanFile> = {}): PlanFile => ({ ...planFile, ...overrides });

/** A decoded plan of offering `orders`: synchronous, free, takes every kind of consumer, with every default filled in. */
export function aPlan(overrides: Partial<Plan> = {}): Plan {
  const [plan] = decodeOffering(offeringFile, new Map()).plans;
  if (plan === undefined) throw new Error('the builder has a plan');
  return { ...plan, ...overrides };
}
/** A decoded offering `orders` in namespace shop, port 8080 HTTP, subsets v1 and v2, with one plan `standard`. */
export const anOffering = (overrides: Partial<ServiceOffering> = {}): ServiceOffering => ({
  ...decodeOffering(offeringFile, new Map()),
  ...overrides,
});
export const aMeshService = (overrides: Partial<MeshService> = {}): MeshService => ({ ...anOffering().mesh, ...overrides });
