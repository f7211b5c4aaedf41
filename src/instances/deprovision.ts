import type { Plan } from '../catalog/offering.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import { acceptedAudit } from '../operations/accepted-audit.ts';
import type { Caller } from '../operations/operation-port.ts';
import { defaultPollingSeconds, type Operation } from '../operations/operation.ts';
import { answerDeletion, checkIds, joinDeletion } from './deletion.ts';
import type { DeleteOutcome, DeleteRequest } from './instance-port.ts';
import type { InstanceDeps, InstanceStores } from './instance-deps.ts';
import type { FoundInstance } from './instance-store.ts';
import type { ServiceInstance } from './instance.ts';
import { requireAsync } from './refusals.ts';
import { trainedBehaviour } from './trained-behaviour.ts';

/**
 * OSB 2.17 "Deprovisioning", order DEP-05: async-required, gone, wrong ids. Live bindings go with the instance (AMB-18); a provision
 * that still runs is cancelled (DEP-07).
 */
export async function deprovision(deps: InstanceDeps, caller: Caller, instanceId: string, request: DeleteRequest): Promise<DeleteOutcome> {
  const { platformId } = caller.platform;
  const entry = deps.catalog.find(request.serviceId, request.planId);
  requireAsync(entry?.plan.asynchronous === true, request.acceptsIncomplete);
  const found = await deps.stores.instances.find(platformId, instanceId);
  if (found === undefined || found.instance.state === 'gone') throw new BrokerError('gone', 'no service instance with this id');
  checkIds(found.instance, request);
  const plan = deps.catalog.find(found.instance.serviceId, found.instance.planId)?.plan;
  const asynchronous = plan?.asynchronous ?? request.acceptsIncomplete;
  requireAsync(asynchronous, request.acceptsIncomplete);
  const operationId = await accept(deps, caller, found.instance, plan);
  return answerDeletion(deps, operationId, asynchronous);
}

async function accept(deps: InstanceDeps, caller: Caller, seen: ServiceInstance, plan: Plan | undefined): Promise<string> {
  const operationId = deps.random.uuid();
  const deadlineSeconds = plan?.maximumPollingDurationSeconds ?? defaultPollingSeconds;
  const accepted = await deps.transact(async (stores) => {
    const { instances, operations, audit } = stores;
    const locked = await instances.lock(seen.uuid);
    if (locked === undefined || locked.instance.state === 'gone') throw new BrokerError('gone', 'no service instance with this id');
    const running = await makeWay(stores, locked, deadlineSeconds);
    if (running !== undefined) return running.id;
    const last = await operations.lastOperation('instance', seen.uuid, null);
    const triedBefore = last?.kind === 'deprovision';
    await instances.closeBindings(seen.uuid);
    await instances.setState(seen.uuid, 'deprovisioning');
    await operations.insert({
      id: operationId,
      platformId: seen.platformId,
      resourceKind: 'instance',
      resourceId: seen.uuid,
      kind: 'deprovision',
      input: {
        trained: triedBefore ? null : trainedBehaviour(plan, 'deprovision'),
        stateBefore: locked.instance.state === 'ready' ? 'ready' : 'failed',
      },
      requestHash: '',
      deadlineSeconds,
    });
    await audit.append(acceptedAudit(caller, 'instance.deprovision', seen.ref, { instance_id: seen.instanceId, operation: operationId }));
    await point('C2');
    return operationId;
  });
  await point('C3');
  return accepted;
}

/** A running deprovision is the answer to this one; a provision is cancelled; an update is not (AMB-19). */
async function makeWay(
  { operations }: InstanceStores,
  { operation }: FoundInstance,
  deadlineSeconds: number,
): Promise<Operation | undefined> {
  if (operation === undefined) return undefined;
  if (operation.kind === 'deprovision') return joinDeletion(operations, operation, deadlineSeconds);
  if (operation.kind !== 'provision')
    throw new BrokerError('concurrency', 'the service instance is being updated: delete it when that has ended');
  await operations.supersede(operation.id, 'cancelled: the instance was deleted while it was being provisioned');
  return undefined;
}
