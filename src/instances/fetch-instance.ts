import { BrokerError } from '../kernel/errors.ts';
import type { Caller, LastOperationOutcome } from '../operations/operation-port.ts';
import type { InstanceView } from './instance-port.ts';
import type { InstanceDeps } from './instance-deps.ts';
import { factsOf } from './instance-facts.ts';

/** OSB 2.17 "Fetching a Service Instance" (GIN, AMB-11). */
export async function fetchInstance(deps: InstanceDeps, caller: Caller, instanceId: string): Promise<InstanceView> {
  const found = await deps.stores.instances.find(caller.platform.platformId, instanceId);
  const instance = found?.instance;
  if (instance === undefined || instance.state === 'gone' || instance.state === 'provisioning' || instance.state === 'failed') {
    throw new BrokerError('not-found', 'no service instance with this id is ready');
  }
  if (instance.state !== 'ready') {
    throw new BrokerError('concurrency', `the service instance is ${instance.state}: fetch it when its operation has ended`);
  }
  const entry = deps.catalog.find(instance.serviceId, instance.planId);
  return {
    serviceId: instance.serviceId,
    planId: instance.planId,
    parameters: Object.keys(instance.parameters).length === 0 ? null : instance.parameters,
    maintenanceVersion: instance.maintenanceVersion,
    metadata: entry === undefined ? { labels: {}, attributes: {} } : factsOf(entry.offering, entry.plan).metadata,
  };
}

/** OSB 2.17 "Polling Last Operation": also of a gone instance, while its tombstone lives (LOI-10, AMB-03). */
export async function instanceLastOperation(
  deps: InstanceDeps,
  caller: Caller,
  instanceId: string,
  operation: string | null,
): Promise<LastOperationOutcome> {
  const found = await deps.stores.instances.find(caller.platform.platformId, instanceId);
  if (found === undefined) return { kind: 'unknown' };
  const last = await deps.stores.operations.lastOperation('instance', found.instance.uuid, operation);
  return last === undefined ? { kind: 'unknown' } : { kind: 'found', operation: last };
}
