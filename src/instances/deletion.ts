import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import { runSynchronously, type OperationRunner } from '../operations/operation-runner.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { Operation } from '../operations/operation.ts';
import type { DeleteOutcome, DeleteRequest } from './instance-port.ts';
import type { ServiceInstance } from './instance.ts';

/** What deprovision and unbind have in common. The ids are those that belong to the instance; any plan it has had matches (AMB-26). */
export function checkIds(instance: ServiceInstance, { serviceId, planId }: Pick<DeleteRequest, 'serviceId' | 'planId'>): void {
  if (serviceId !== instance.serviceId) {
    throw new BrokerError('bad-request', `service_id: the instance is of "${instance.serviceId}"`, { field: 'service_id' });
  }
  if (!instance.planIds.includes(planId)) {
    throw new BrokerError('bad-request', `plan_id: the instance is on plan "${instance.planId}"`, { field: 'plan_id' });
  }
}

/** A running deletion is the answer to this one; one that waits long is run now. */
export async function joinDeletion(operations: OperationStore, running: Operation, deadlineSeconds: number): Promise<Operation> {
  if (running.state === 'quarantined' || running.overdue) await operations.hurry(running.id, deadlineSeconds);
  return running;
}

interface DeletionDeps {
  readonly runner: OperationRunner;
  readonly stores: { readonly operations: OperationStore };
  readonly syncTimeoutMs: number;
}
/** 202 at once, or 200 when it is done. */
export async function answerDeletion(deps: DeletionDeps, operationId: string, asynchronous: boolean): Promise<DeleteOutcome> {
  if (asynchronous) {
    deps.runner.wake();
    await point('C4');
    return { kind: 'accepted', operation: operationId };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operationId, false, deps.syncTimeoutMs);
  return { kind: 'deleted', operation: operationId };
}
