import type { DeleteOutcome, DeleteRequest } from '../instances/instance-port.ts';
import type { ServiceInstance } from '../instances/instance.ts';
import { trainedBehaviour } from '../instances/trained-behaviour.ts';
import type { Plan } from '../catalog/offering.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import { acceptedAudit } from '../operations/accepted-audit.ts';
import type { Caller } from '../operations/operation-port.ts';
import { runSynchronously } from '../operations/operation-runner.ts';
import { defaultPollingSeconds, type Operation } from '../operations/operation.ts';
import type { BindingDeps, BindingStores } from './binding-deps.ts';
import type { FoundBinding } from './binding-store.ts';
import type { ServiceBinding } from './binding.ts';
import { ofInstance } from './fetch-binding.ts';

/** OSB 2.17 "Unbinding"; order UNB-06: async-required, gone, missing or wrong ids ('' = missing). A bind that still runs is cancelled (UNB-09). */
export async function unbind(
  deps: BindingDeps,
  caller: Caller,
  instanceId: string,
  bindingId: string,
  request: DeleteRequest,
): Promise<DeleteOutcome> {
  const { serviceId, planId, acceptsIncomplete } = request;
  requireAsync(deps.catalog.find(serviceId, planId)?.plan.asynchronous === true, acceptsIncomplete);
  const binding = await ofInstance(deps, caller, instanceId, bindingId);
  const instance = binding === undefined ? undefined : await deps.stores.instances.byUuid(binding.instanceUuid);
  if (binding === undefined || instance === undefined || binding.state === 'gone') {
    throw new BrokerError('gone', 'no service binding with this id');
  }
  checkIds(instance, request);
  const plan = deps.catalog.find(instance.serviceId, instance.planId)?.plan;
  const asynchronous = plan?.asynchronous ?? acceptsIncomplete;
  requireAsync(asynchronous, acceptsIncomplete);
  const operationId = await accept(deps, caller, binding, plan);
  if (asynchronous) {
    deps.runner.wake();
    await point('C4');
    return { kind: 'accepted', operation: operationId };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operationId, false, deps.syncTimeoutMs);
  return { kind: 'deleted' };
}

function requireAsync(asynchronous: boolean, acceptsIncomplete: boolean): void {
  if (asynchronous && !acceptsIncomplete) throw new BrokerError('async-required', 'add accepts_incomplete=true');
}
function checkIds(instance: ServiceInstance, { serviceId, planId }: DeleteRequest): void {
  const missing = serviceId === '' ? 'service_id' : planId === '' ? 'plan_id' : undefined;
  if (missing !== undefined) throw new BrokerError('bad-request', `${missing}: add it to the query`, { field: missing });
  if (serviceId !== instance.serviceId) {
    throw new BrokerError('bad-request', `service_id: the instance is of "${instance.serviceId}"`, { field: 'service_id' });
  }
  if (!instance.planIds.includes(planId)) {
    throw new BrokerError('bad-request', `plan_id: the instance is on plan "${instance.planId}"`, { field: 'plan_id' });
  }
}

async function accept(deps: BindingDeps, caller: Caller, seen: ServiceBinding, plan: Plan | undefined): Promise<string> {
  const operationId = deps.random.uuid();
  const deadlineSeconds = plan?.maximumPollingDurationSeconds ?? defaultPollingSeconds;
  const accepted = await deps.transact(async (stores) => {
    const { bindings, instances, operations, audit } = stores;
    const instance = await instances.lock(seen.instanceUuid);
    const locked = await bindings.lock(seen.uuid);
    if (locked === undefined || locked.binding.state === 'gone') throw new BrokerError('gone', 'no service binding with this id');
    if (instance?.operation?.kind === 'deprovision') return instance.operation.id;
    const running = await makeWay(stores, locked, deadlineSeconds);
    if (running !== undefined) return running.id;
    const last = await operations.lastOperation('binding', seen.uuid, null);
    await bindings.setState(seen.uuid, 'unbinding');
    await operations.insert({
      id: operationId,
      platformId: seen.platformId,
      resourceKind: 'binding',
      resourceId: seen.uuid,
      kind: 'unbind',
      input: {
        trained: last?.kind === 'unbind' ? null : trainedBehaviour(plan, 'unbind'),
        stateBefore: locked.binding.state === 'binding' ? 'failed' : locked.binding.state,
      },
      requestHash: '',
      deadlineSeconds,
    });
    await audit.append(
      acceptedAudit(caller, 'binding.unbind', seen.uuid, { ref: seen.ref, binding_id: seen.bindingId, operation: operationId }),
    );
    await point('C2');
    return operationId;
  });
  await point('C3');
  return accepted;
}

/** A running unbind is the answer to this one; a bind or an expiry is cancelled, its work is taken back by ours. */
async function makeWay(
  { operations }: BindingStores,
  { operation }: FoundBinding,
  deadlineSeconds: number,
): Promise<Operation | undefined> {
  if (operation === undefined) return undefined;
  if (operation.kind === 'unbind') {
    if (operation.state === 'quarantined' || operation.overdue) await operations.hurry(operation.id, deadlineSeconds);
    return operation;
  }
  await operations.supersede(operation.id, 'cancelled: the binding was deleted meanwhile');
  return undefined;
}
