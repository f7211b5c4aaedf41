import type { CatalogEntry } from '../catalog/catalog-port.ts';
import type { ServiceInstance, StoredSnapshot } from '../instances/instance.ts';
import { whyAsyncRequired, whyParameters } from '../instances/refusals.ts';
import { snapshotOf } from '../instances/snapshot.ts';
import { BrokerError } from '../kernel/errors.ts';
import { instanceReference } from '../kernel/ids.ts';
import type { Caller } from '../operations/operation-port.ts';
import type { BindRequest } from './binding-port.ts';
import type { BindingDeps } from './binding-deps.ts';
import type { ServiceBinding } from './binding.ts';
import { wantedKind } from './consumer.ts';

/** The instance that is bound: accepted only while it is ready, on this plan and snapshot. */
export interface Bindable extends Pick<ServiceInstance, 'ref' | 'instanceId' | 'planId' | 'organizationGuid'> {
  readonly snapshot: StoredSnapshot;
}
/** All that a bind is accepted on, checked. */
export interface Order {
  readonly instance: Bindable;
  readonly entry: CatalogEntry;
  readonly predecessor: ServiceBinding | undefined;
  readonly parameters: NonNullable<BindRequest['parameters']>;
  readonly bindResource: NonNullable<BindRequest['bindResource']>;
  readonly context: NonNullable<BindRequest['context']>;
}

/**
 * What nearly every bind of a workload in the mesh is accepted on, made of the request and the catalogue alone: the accept statement
 * finds out whether the instance is so. Its organisation is left empty, only off-mesh consumers bear it. Undefined or BrokerError: look
 * the instance up.
 */
export function presumedOrder(deps: BindingDeps, caller: Caller, request: BindRequest): Order | undefined {
  const { instanceId, serviceId, planId, predecessorBindingId, parameters, bindResource, context } = request;
  if (serviceId === null || planId === null || predecessorBindingId !== null) return undefined;
  const entry = deps.catalog.find(serviceId, planId);
  const given = { parameters: parameters ?? {}, bindResource: bindResource ?? {}, context: context ?? {} };
  if (entry === undefined || wantedKind(given.parameters, given.context) === 'off-mesh') return undefined;
  const ref = instanceReference(caller.platform.platformId, instanceId);
  const instance = { ref, instanceId, planId, organizationGuid: '', snapshot: snapshotOf(entry.offering, entry.plan) };
  return checked(deps, request, { instance, entry, predecessor: undefined, ...given });
}

/** What the instance, looked up, and the predecessor say. BrokerError: the first refusal in the order of BND-23. */
export async function orderOf(deps: BindingDeps, caller: Caller, request: BindRequest): Promise<Order> {
  checkServiceKnown(deps, request.serviceId);
  const instance = await readyInstance(deps, caller, request);
  const entry = entryOf(deps, instance, request);
  const predecessor = request.predecessorBindingId === null ? undefined : await predecessorOf(deps, caller, request, instance, entry);
  const inherited = predecessor ?? { parameters: {}, bindResource: {}, context: {} };
  return checked(deps, request, {
    instance: { ...instance, snapshot: await snapshotOfInstance(deps, instance, entry) },
    entry,
    predecessor,
    parameters: request.parameters ?? inherited.parameters,
    bindResource: request.bindResource ?? inherited.bindResource,
    context: request.context ?? inherited.context,
  });
}

function checked(deps: BindingDeps, request: BindRequest, order: Order): Order {
  const { entry, parameters } = order;
  if (!entry.plan.bindable)
    throw new BrokerError('bad-request', `plan_id: plan "${entry.plan.name}" is not bindable`, { field: 'plan_id' });
  const refused = whyAsyncRequired(entry, request.acceptsIncomplete) ?? whyParameters(deps, entry, 'bind', parameters);
  if (refused !== undefined) throw refused;
  return order;
}

/** The catalogue's own where the instance has not fallen behind it. */
async function snapshotOfInstance(
  { stores }: BindingDeps,
  { snapshotHash: hash }: ServiceInstance,
  { offering, plan }: CatalogEntry,
): Promise<StoredSnapshot> {
  const newest = snapshotOf(offering, plan);
  if (newest.hash === hash) return newest;
  const snapshot = await stores.instances.snapshot(hash);
  if (snapshot === undefined) throw new Error(`plan snapshot ${hash} is missing`);
  return { hash, snapshot };
}

function checkServiceKnown(deps: BindingDeps, serviceId: string | null): void {
  if (serviceId === null || deps.catalog.hasOffering(serviceId)) return;
  throw new BrokerError('bad-request', `service_id: no service offering "${serviceId}"; take one from GET /v2/catalog`, {
    field: 'service_id',
  });
}

async function readyInstance(deps: BindingDeps, caller: Caller, request: BindRequest): Promise<ServiceInstance> {
  const instance = await deps.stores.instances.newest(caller.platform.platformId, request.instanceId);
  if (instance === undefined || instance.state === 'gone') throw new BrokerError('not-found', 'no service instance with this id');
  const { state } = instance;
  if (state === 'failed') throw new BrokerError('provision-failed', 'the instance could not be provisioned: delete it and order it again');
  if (state !== 'ready') throw new BrokerError('concurrency', `the service instance is ${state}: bind when its operation has ended`);
  return instance;
}

function entryOf(deps: BindingDeps, instance: ServiceInstance, request: BindRequest): CatalogEntry {
  if (request.serviceId !== null && request.serviceId !== instance.serviceId) {
    throw new BrokerError('bad-request', `service_id: the instance is of "${instance.serviceId}"`, { field: 'service_id' });
  }
  if (request.planId !== null && request.planId !== instance.planId) {
    throw new BrokerError('bad-request', `plan_id: the instance is on plan "${instance.planId}"`, { field: 'plan_id' });
  }
  const entry = deps.catalog.find(instance.serviceId, instance.planId);
  if (entry === undefined) throw new BrokerError('unavailable', 'the catalog is not loaded yet', { retryAfterSeconds: 2 });
  return entry;
}

/** ROT-01 to ROT-03, AMB-13. */
async function predecessorOf(
  deps: BindingDeps,
  caller: Caller,
  request: BindRequest,
  instance: ServiceInstance,
  entry: CatalogEntry,
): Promise<ServiceBinding> {
  const field = 'predecessor_binding_id';
  const refuse = (why: string): BrokerError => new BrokerError('bad-request', `${field}: ${why}`, { field });
  if (!entry.plan.bindingRotatable) throw refuse(`plan "${entry.plan.name}" has no rotation (binding_rotatable): bind anew`);
  if (request.predecessorBindingId === request.bindingId) throw refuse('a binding cannot succeed itself: use a new binding_id');
  const binding = (await deps.stores.bindings.find(caller.platform.platformId, request.predecessorBindingId ?? ''))?.binding;
  if (binding?.instanceUuid !== instance.uuid || !isThere(binding)) throw refuse('this instance has no such binding');
  if (binding.state === 'binding') throw new BrokerError('concurrency', `${field}: that binding is still being made`);
  if (binding.state !== 'ready' || binding.overdue)
    throw refuse(`that binding is ${binding.overdue ? 'expired' : binding.state}: bind anew`);
  return binding;
}

const isThere = ({ state }: ServiceBinding): boolean => state !== 'gone' && state !== 'failed';
