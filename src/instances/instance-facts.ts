import type { Plan, ServiceOffering } from '../catalog/offering.ts';
import type { InstanceFacts } from './instance-port.ts';

/** What platforms may show of an instance (OSB `metadata`): string to string, no data that is needed to connect. */
export const factsOf = (offering: ServiceOffering, plan: Plan): InstanceFacts => ({
  metadata: {
    labels: { offering: offering.name, plan: plan.name },
    attributes: { namespace: offering.mesh.namespace, host: offering.mesh.hosts[0] ?? '' },
  },
});
