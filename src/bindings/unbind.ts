import { answerDeletion, checkIds, joinDeletion } from '../instances/deletion.ts';
import type { DeleteOutcome, DeleteRequest } from '../instances/instance-port.ts';
import { requireAsync } from '../instances/refusals.ts';
import { trainedBehaviour } from '../instances/trained-behaviour.ts';
import type { Plan } from '../catalog/offering.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import { acceptedAudit } from '../operations/accepted-audit.ts';
import type { Caller } from '../operations/operation-port.ts';
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
  checkPresent(request);
  checkIds(instance, request);
  const plan = deps.catalog.find(instance.serviceId, instance.planId)?.plan;
  const asynchronous = plan?.asynchronous ?? acceptsIncomplete;
  requireAsync(asynchronous, acceptsIncomplete);
  const operationId = await accept(deps, caller, binding, plan);
  return answerDeletion(deps, operationId, asynchronous);
}

function checkPresent({ serviceId, planId }: DeleteRequest): void {
  const missing = serviceId === '' ? 'service_id' : planId === '' ? 'plan_id' : undefined;
  if (missing !== undefined) throw new BrokerError('bad-request', `${missing}: add it to the query`, { field: missing });
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
    await audit.append(acceptedAudit(caller, 'binding.unbind', seen.ref, { binding_id: seen.bindingId, operation: operationId }));
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
  if (operation.kind === 'unbind') return joinDeletion(operations, operation, deadlineSeconds);
  await operations.supersede(operation.id, 'cancelled: the binding was deleted meanwhile');
  return undefined;
}
