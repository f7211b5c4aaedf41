import type { CatalogEntry } from '../catalog/catalog-port.ts';
import { fingerprint } from '../instances/fingerprint.ts';
import { requireAsync } from '../instances/refusals.ts';
import { trainedBehaviour } from '../instances/trained-behaviour.ts';
import { BrokerError } from '../kernel/errors.ts';
import { bindingReference } from '../kernel/ids.ts';
import { point } from '../kernel/points.ts';
import { acceptedAudit } from '../operations/accepted-audit.ts';
import type { Caller } from '../operations/operation-port.ts';
import { runSynchronously } from '../operations/operation-runner.ts';
import { defaultPollingSeconds } from '../operations/operation.ts';
import type { BindingView, BindOutcome, BindRequest } from './binding-port.ts';
import { orderOf, presumedOrder, type Order } from './bind-order.ts';
import type { BindingDeps } from './binding-deps.ts';
import type { FoundBinding, NewBinding } from './binding-store.ts';
import { bindingView } from './binding-view.ts';
import { resolveConsumer } from './consumer.ts';
import { lifeOf } from './validity.ts';

/** Attributes that make two bind requests identical (BND-06, AMB-07). */
const requestHashOf = (request: BindRequest): string =>
  fingerprint({
    instanceId: request.instanceId,
    predecessor: request.predecessorBindingId,
    parameters: request.parameters ?? {},
    bindResource: withoutEmpty(request.bindResource ?? {}),
  });
const withoutEmpty = (object: NonNullable<BindRequest['bindResource']>): NonNullable<BindRequest['bindResource']> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== ''));

/** OSB 2.17 "Binding" and "Binding Rotation"; order of checks BND-23. */
export async function bind(deps: BindingDeps, caller: Caller, request: BindRequest): Promise<BindOutcome> {
  const requestHash = requestHashOf(request);
  const made = await acceptFirstLife(deps, caller, request, requestHash);
  if (made !== undefined) return answerNew(deps, made);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const found = await deps.stores.bindings.find(caller.platform.platformId, request.bindingId);
    if (found !== undefined && isTaken(found)) return answerExisting(deps, request, requestHash, found);
    const order = await orderOf(deps, caller, request);
    if (found?.binding.state === 'failed') await deps.stores.bindings.setState(found.binding.uuid, 'gone');
    const life = found === undefined ? 0 : found.binding.life + 1;
    const accepted = await accept(deps, caller, request, order, requestHash, life);
    if (accepted !== undefined) return answerNew(deps, accepted);
  }
  throw new BrokerError('concurrency', 'the instance or the binding is being changed by other requests: send the request again');
}

/**
 * Nearly every bind is the first of its id, on an instance as the catalogue has it: tried in one statement before anything is looked up.
 * What refuses it is told later, since an existing binding answers first.
 */
async function acceptFirstLife(
  deps: BindingDeps,
  caller: Caller,
  request: BindRequest,
  requestHash: string,
): Promise<Accepted | undefined> {
  try {
    const order = presumedOrder(deps, caller, request);
    return order === undefined ? undefined : await accept(deps, caller, request, order, requestHash, 0);
  } catch (error) {
    if (error instanceof BrokerError) return undefined;
    throw error;
  }
}

/** A failed bind has left nothing: its id is free again. */
const isTaken = ({ binding, operation }: FoundBinding): boolean =>
  binding.state !== 'gone' && !(binding.state === 'failed' && operation === undefined);

interface Accepted {
  readonly entry: CatalogEntry;
  readonly uuid: string;
  readonly operationId: string;
}
async function accept(
  deps: BindingDeps,
  caller: Caller,
  request: BindRequest,
  order: Order,
  requestHash: string,
  life: number,
): Promise<Accepted | undefined> {
  const uuid = deps.random.uuid();
  const operationId = deps.random.uuid();
  const { plan } = order.entry;
  const binding = await newBinding(deps, caller, request, order, { uuid, requestHash, life });
  const { ref: instanceRef, instanceId, snapshot } = order.instance;
  await deps.routes.bind({ ...binding, bindingRef: binding.ref, instanceRef, instanceId, snapshot: snapshot.snapshot });
  await point('C2');
  const created = await deps.stores.bindings.accept(
    binding,
    {
      id: operationId,
      platformId: binding.platformId,
      resourceKind: 'binding',
      resourceId: uuid,
      kind: 'bind',
      input: { trained: trainedBehaviour(plan, 'bind'), synchronous: !plan.asynchronous },
      requestHash,
      deadlineSeconds: plan.maximumPollingDurationSeconds ?? defaultPollingSeconds,
    },
    acceptedAudit(caller, order.predecessor === undefined ? 'binding.bind' : 'binding.rotate', binding.ref, {
      binding_id: request.bindingId,
      instance: order.instance.ref,
      principal: binding.principal,
      operation: operationId,
    }),
  );
  await point('C3');
  return created ? { entry: order.entry, uuid, operationId } : undefined;
}

async function newBinding(
  deps: BindingDeps,
  caller: Caller,
  request: BindRequest,
  { instance, entry, predecessor, parameters, context, bindResource }: Order,
  { uuid, requestHash, life }: { uuid: string; requestHash: string; life: number },
): Promise<NewBinding> {
  const { platform } = caller;
  const { trustDomain, bindingTrustDomain, rootNamespace } = deps.settings;
  const { organizationGuid } = instance;
  const ref = bindingReference(platform.platformId, request.bindingId, life);
  const question = { platform, organizationGuid, plan: entry.plan, parameters, context, bindResource, bindingRef: ref };
  const who = resolveConsumer({ ...question, trustDomain, bindingTrustDomain, rootNamespace });
  return {
    uuid,
    platformId: platform.platformId,
    instanceRef: instance.ref,
    snapshotHash: instance.snapshot.hash,
    bindingId: request.bindingId,
    ref,
    life,
    lineageId: predecessor?.lineageId ?? uuid,
    predecessorUuid: predecessor?.uuid ?? null,
    predecessorBindingId: request.predecessorBindingId,
    planId: instance.planId,
    context,
    bindResource,
    parameters,
    requestHash,
    consumer: who.consumer,
    consumerName: predecessor?.consumerName ?? who.consumerName,
    principal: who.principal,
    credentialKind: who.credentialKind,
    csrPem: typeof parameters['csr'] === 'string' ? parameters['csr'] : null,
    lifeSeconds: await lifeOf(entry.plan, who.credentialKind, deps.certificates),
  };
}

async function answerNew(deps: BindingDeps, { entry, uuid, operationId }: Accepted): Promise<BindOutcome> {
  if (entry.plan.asynchronous) {
    deps.runner.wake();
    await point('C4');
    return { kind: 'accepted', operation: operationId };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operationId, true, deps.syncTimeoutMs);
  return { kind: 'created', operation: operationId, binding: await viewOf(deps, uuid) };
}

const namesSame = (request: BindRequest, serviceId: string, planId: string): boolean =>
  (request.serviceId ?? serviceId) === serviceId && (request.planId ?? planId) === planId;
const otherAttributes =
  'a service binding with this id exists with other attributes: use another binding_id, or the attributes it was made with';
async function answerExisting(
  deps: BindingDeps,
  request: BindRequest,
  requestHash: string,
  { binding, operation }: FoundBinding,
): Promise<BindOutcome> {
  if (binding.state === 'unbinding') throw new BrokerError('concurrency', 'the binding is being deleted: wait until it is gone');
  const serviceId = (await deps.stores.instances.byUuid(binding.instanceUuid))?.serviceId ?? '';
  if (binding.requestHash !== requestHash || !namesSame(request, serviceId, binding.planId))
    throw new BrokerError('conflict', otherAttributes);
  if (binding.state !== 'binding' || operation === undefined) return { kind: 'exists', binding: await viewOf(deps, binding.uuid) };
  if (deps.catalog.find(serviceId, binding.planId)?.plan.asynchronous === true) {
    requireAsync(true, request.acceptsIncomplete);
    return { kind: 'accepted', operation: operation.id };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operation.id, false, deps.syncTimeoutMs);
  return { kind: 'exists', operation: operation.id, binding: await viewOf(deps, binding.uuid) };
}

async function viewOf(deps: BindingDeps, uuid: string): Promise<BindingView> {
  const binding = await deps.stores.bindings.byUuid(uuid);
  if (binding === undefined) throw new BrokerError('gone', 'the binding was deleted meanwhile');
  return bindingView(deps, binding);
}
