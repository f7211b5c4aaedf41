import type { CatalogEntry } from '../catalog/catalog-port.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import { acceptedAudit } from '../operations/accepted-audit.ts';
import type { Caller } from '../operations/operation-port.ts';
import { runSynchronously } from '../operations/operation-runner.ts';
import { defaultPollingSeconds } from '../operations/operation.ts';
import { fingerprint, mergePatch } from './fingerprint.ts';
import { factsOf } from './instance-facts.ts';
import type { UpdateOutcome, UpdateRequest } from './instance-port.ts';
import type { InstanceDeps } from './instance-deps.ts';
import { valuesOf, type InstanceValues, type ServiceInstance } from './instance.ts';
import { whyAsyncRequired, whyMaintenanceConflicts, whyParameters } from './refusals.ts';
import { snapshotOf } from './snapshot.ts';
import { trainedBehaviour } from './trained-behaviour.ts';

/** Where an update leads; part of the operation's input. */
export interface UpdateInput {
  readonly previous: InstanceValues;
  readonly desired: InstanceValues;
  readonly trained: ReturnType<typeof trainedBehaviour>;
  readonly synchronous: boolean;
}

/** OSB 2.17 "Updating a Service Instance" (UPD): all or nothing; parameters are merged (RFC 7396, AMB-41). */
export async function updateInstance(deps: InstanceDeps, caller: Caller, request: UpdateRequest): Promise<UpdateOutcome> {
  const found = await deps.stores.instances.find(caller.platform.platformId, request.instanceId);
  const instance = found?.instance;
  if (instance === undefined || !isThere(instance)) {
    throw new BrokerError('not-found', 'no service instance with this id');
  }
  const target = targetOf(deps, instance, request);
  const requestHash = requestHashOf(request);
  if (found?.operation !== undefined) return answerBusy(deps, instance, target, request, requestHash, found.operation);
  const desired = desiredOf(instance, target, request);
  const refusal = whyRefused(deps, instance, target, request, desired);
  if (refusal !== undefined) throw refusal;
  await checkRoutes(deps, instance, target, desired);
  const operationId = await accept(deps, caller, instance, target, desired, requestHash);
  const facts = factsOf(target.offering, target.plan);
  if (target.plan.asynchronous) {
    deps.runner.wake();
    await point('C4');
    return { kind: 'accepted', operation: operationId, ...facts };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operationId, true, deps.syncTimeoutMs);
  return { kind: 'updated', operation: operationId, ...facts };
}

async function checkRoutes(deps: InstanceDeps, instance: ServiceInstance, target: CatalogEntry, desired: InstanceValues): Promise<void> {
  if (desired.snapshotHash === instance.snapshotHash) return;
  const { snapshot } = snapshotOf(target.offering, target.plan);
  await deps.routes.update({ instanceUuid: instance.uuid, platformId: instance.platformId, snapshot });
}

const whyRefused = (
  deps: InstanceDeps,
  instance: ServiceInstance,
  target: CatalogEntry,
  request: UpdateRequest,
  desired: InstanceValues,
): BrokerError | undefined =>
  whyPlanChange(deps, instance, target) ??
  whyMaintenanceConflicts(target, request.maintenanceVersion) ??
  whyAsyncRequired(target, request.acceptsIncomplete) ??
  (request.parameters === null
    ? undefined
    : (whyParameters(deps, target, 'update', withoutNulls(request.parameters)) ??
      whyParameters(deps, target, 'create', desired.parameters)));

const isThere = ({ state }: ServiceInstance): boolean => state !== 'gone' && state !== 'failed';
const withoutNulls = (patch: NonNullable<UpdateRequest['parameters']>): NonNullable<UpdateRequest['parameters']> =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== null));

const requestHashOf = (request: UpdateRequest): string =>
  fingerprint({
    serviceId: request.serviceId,
    planId: request.planId,
    parameters: request.parameters,
    context: request.context,
    maintenanceVersion: request.maintenanceVersion,
  });

function targetOf(deps: InstanceDeps, instance: ServiceInstance, request: UpdateRequest): CatalogEntry {
  if (request.serviceId !== instance.serviceId) {
    const what = deps.catalog.hasOffering(request.serviceId)
      ? 'is not the one of this instance and cannot change'
      : 'is not in the catalog';
    throw new BrokerError('bad-request', `service_id: "${request.serviceId}" ${what}; send "${instance.serviceId}"`, {
      field: 'service_id',
    });
  }
  const entry = deps.catalog.find(instance.serviceId, request.planId ?? instance.planId);
  if (entry !== undefined) return entry;
  throw new BrokerError(
    'bad-request',
    `plan_id: the service offering has no plan "${request.planId ?? ''}"; take one from GET /v2/catalog`,
    {
      field: 'plan_id',
    },
  );
}

async function answerBusy(
  deps: InstanceDeps,
  instance: ServiceInstance,
  target: CatalogEntry,
  request: UpdateRequest,
  requestHash: string,
  operation: { readonly id: string; readonly kind: string; readonly requestHash: string },
): Promise<UpdateOutcome> {
  const facts = factsOf(target.offering, target.plan);
  const same = operation.kind === 'update' && operation.requestHash === requestHash;
  if (same && target.plan.asynchronous && request.acceptsIncomplete) return { kind: 'accepted', operation: operation.id, ...facts };
  if (same && !target.plan.asynchronous) {
    await runSynchronously(deps.runner, deps.stores.operations, operation.id, false, deps.syncTimeoutMs);
    return { kind: 'updated', operation: operation.id, ...facts };
  }
  throw new BrokerError('concurrency', `the service instance is ${instance.state}: send the update when its operation has ended`);
}

function whyPlanChange(deps: InstanceDeps, instance: ServiceInstance, target: CatalogEntry): BrokerError | undefined {
  if (target.plan.id === instance.planId) return undefined;
  const current = deps.catalog.find(instance.serviceId, instance.planId);
  const names = `from plan "${current?.plan.name ?? instance.planId}" to plan "${target.plan.name}"`;
  const context = { updateRepeatable: false, instanceUsable: true };
  if (current?.plan.planUpdateable !== true) {
    return new BrokerError('plan-change-not-supported', `plan_id: this offering does not allow a change ${names}`, context);
  }
  if (!target.orderable)
    return new BrokerError('plan-change-not-supported', `plan_id: no change ${names}: ${target.why ?? 'it is no longer offered'}`, context);
  return undefined;
}

const leavesOut = (kind: string, { plan }: CatalogEntry): BrokerError =>
  new BrokerError(
    'plan-change-not-supported',
    `plan_id: plan "${plan.name}" takes no ${kind} consumers, and the instance has such bindings: unbind them first`,
    {
      updateRepeatable: true,
      instanceUsable: true,
    },
  );

function desiredOf(instance: ServiceInstance, target: CatalogEntry, request: UpdateRequest): InstanceValues {
  const changesPlan = target.plan.id !== instance.planId;
  const maintains = request.maintenanceVersion !== null;
  return {
    planId: target.plan.id,
    snapshotHash: changesPlan || maintains ? snapshotOf(target.offering, target.plan).hash : instance.snapshotHash,
    parameters: request.parameters === null ? instance.parameters : mergePatch(instance.parameters, request.parameters),
    context: request.context ?? instance.context,
    maintenanceVersion: changesPlan || maintains ? (target.plan.maintenanceInfo?.version ?? null) : instance.maintenanceVersion,
  };
}

async function accept(
  deps: InstanceDeps,
  caller: Caller,
  seen: ServiceInstance,
  target: CatalogEntry,
  desired: InstanceValues,
  requestHash: string,
): Promise<string> {
  const operationId = deps.random.uuid();
  await deps.transact(async ({ instances, operations, audit }) => {
    const locked = await instances.lock(seen.uuid);
    if (
      locked === undefined ||
      locked.operation !== undefined ||
      locked.instance.planId !== seen.planId ||
      locked.instance.state !== 'ready'
    ) {
      throw new BrokerError('concurrency', 'the service instance is being changed by another request: send the update again');
    }
    const left = (await instances.boundKinds(seen.uuid)).find((kind) => !target.plan.consumerKinds.includes(kind));
    if (left !== undefined) throw leavesOut(left, target);
    await instances.saveSnapshot(snapshotOf(target.offering, target.plan));
    await instances.setState(seen.uuid, 'updating');
    const input: UpdateInput = {
      previous: valuesOf(locked.instance),
      desired,
      trained: trainedBehaviour(target.plan, 'update'),
      synchronous: !target.plan.asynchronous,
    };
    await operations.insert({
      id: operationId,
      platformId: seen.platformId,
      resourceKind: 'instance',
      resourceId: seen.uuid,
      kind: 'update',
      input: { ...input },
      requestHash,
      deadlineSeconds: target.plan.maximumPollingDurationSeconds ?? defaultPollingSeconds,
    });
    await audit.append(
      acceptedAudit(caller, 'instance.update', seen.ref, {
        from_plan: seen.planId,
        plan_id: desired.planId,
        operation: operationId,
      }),
    );
    await point('C2');
  });
  await point('C3');
  return operationId;
}
