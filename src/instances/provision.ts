import type { CatalogEntry } from '../catalog/catalog-port.ts';
import { BrokerError } from '../kernel/errors.ts';
import { instanceReference } from '../kernel/ids.ts';
import { point } from '../kernel/points.ts';
import { acceptedAudit } from '../operations/accepted-audit.ts';
import type { Caller } from '../operations/operation-port.ts';
import { runSynchronously } from '../operations/operation-runner.ts';
import { defaultPollingSeconds } from '../operations/operation.ts';
import { trainedBehaviour } from './trained-behaviour.ts';
import { fingerprint, placeOf } from './fingerprint.ts';
import type { ProvisionOutcome, ProvisionRequest } from './instance-port.ts';
import type { InstanceDeps } from './instance-deps.ts';
import type { FoundInstance } from './instance-store.ts';
import { factsOf } from './instance-facts.ts';
import { requireAsync, whyAsyncRequired, whyMaintenanceConflicts, whyParameters } from './refusals.ts';
import { snapshotOf } from './snapshot.ts';

/** Attributes that make two provision requests identical (AMB-07); the plan is compared apart, with the current one (UPD-18). */
const requestHashOf = (request: ProvisionRequest): string =>
  fingerprint({
    serviceId: request.serviceId,
    organizationGuid: request.organizationGuid,
    spaceGuid: request.spaceGuid,
    parameters: request.parameters ?? {},
    place: placeOf(request.context),
  });

/** OSB 2.17 "Provisioning", order of checks PRV-24. Concurrent identical requests make one instance (CON-06). */
export async function provision(deps: InstanceDeps, caller: Caller, request: ProvisionRequest): Promise<ProvisionOutcome> {
  const requestHash = requestHashOf(request);
  const entry = deps.catalog.find(request.serviceId, request.planId);
  const refusal = whyRefused(deps, entry, request);
  if (refusal === undefined && entry !== undefined) {
    const accepted = await accept(deps, caller, request, entry, requestHash, 0);
    if (accepted !== undefined) return answerNew(deps, entry, accepted);
  }
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const found = await deps.stores.instances.find(caller.platform.platformId, request.instanceId);
    if (found !== undefined && isTaken(found)) return answerExisting(deps, entry, request, requestHash, found);
    if (refusal !== undefined) throw refusal;
    if (entry === undefined) break;
    const accepted = await accept(deps, caller, request, entry, requestHash, await nextLife(deps, found));
    if (accepted !== undefined) return answerNew(deps, entry, accepted);
  }
  throw new BrokerError('concurrency', 'the instance is being created and deleted by other requests: send the request again');
}

async function nextLife(deps: InstanceDeps, found: FoundInstance | undefined): Promise<number> {
  if (found?.instance.state === 'failed') await deps.stores.instances.setState(found.instance.uuid, 'gone');
  return found === undefined ? 0 : found.instance.life + 1;
}

/** A failed provision has left nothing: its id is free again. */
const isTaken = ({ instance, operation }: FoundInstance): boolean =>
  instance.state !== 'gone' && !(instance.state === 'failed' && operation === undefined);

function whyRefused(deps: InstanceDeps, entry: CatalogEntry | undefined, request: ProvisionRequest): BrokerError | undefined {
  if (entry === undefined) {
    const known = deps.catalog.hasOffering(request.serviceId);
    return known
      ? new BrokerError('bad-request', `plan_id: the service offering has no plan "${request.planId}"; take one from GET /v2/catalog`, {
          field: 'plan_id',
        })
      : new BrokerError('bad-request', `service_id: no service offering "${request.serviceId}"; take one from GET /v2/catalog`, {
          field: 'service_id',
        });
  }
  if (!entry.orderable)
    return new BrokerError('bad-request', `plan_id: ${entry.why ?? 'this plan is no longer offered'}`, { field: 'plan_id' });
  return (
    whyMaintenanceConflicts(entry, request.maintenanceVersion) ??
    whyAsyncRequired(entry, request.acceptsIncomplete) ??
    whyParameters(deps, entry, 'create', request.parameters ?? {})
  );
}
interface Accepted {
  readonly operationId: string;
}
async function accept(
  deps: InstanceDeps,
  caller: Caller,
  request: ProvisionRequest,
  entry: CatalogEntry,
  requestHash: string,
  life: number,
): Promise<Accepted | undefined> {
  const { platformId } = caller.platform;
  const uuid = deps.random.uuid();
  const operationId = deps.random.uuid();
  const { plan, offering } = entry;
  const ref =
    life === 0 ? instanceReference(platformId, request.instanceId) : instanceReference(platformId, `${request.instanceId}\0${life}`);
  await point('C2');
  const created = await deps.stores.instances.accept(
    {
      uuid,
      platformId,
      instanceId: request.instanceId,
      ref,
      life,
      serviceId: offering.id,
      offeringName: offering.name,
      planId: plan.id,
      snapshot: snapshotOf(offering, plan),
      organizationGuid: request.organizationGuid,
      spaceGuid: request.spaceGuid,
      context: request.context ?? {},
      parameters: request.parameters ?? {},
      maintenanceVersion: plan.maintenanceInfo?.version ?? null,
      requestHash,
    },
    {
      id: operationId,
      platformId,
      resourceKind: 'instance',
      resourceId: uuid,
      kind: 'provision',
      input: { trained: trainedBehaviour(plan, 'provision'), synchronous: !plan.asynchronous },
      requestHash,
      deadlineSeconds: plan.maximumPollingDurationSeconds ?? defaultPollingSeconds,
    },
    acceptedAudit(caller, 'instance.provision', ref, { instance_id: request.instanceId, plan_id: plan.id, operation: operationId }),
  );
  await point('C3');
  return created ? { operationId } : undefined;
}

async function answerNew(deps: InstanceDeps, { plan, offering }: CatalogEntry, { operationId }: Accepted): Promise<ProvisionOutcome> {
  const facts = factsOf(offering, plan);
  if (plan.asynchronous) {
    deps.runner.wake();
    await point('C4');
    return { kind: 'accepted', operation: operationId, ...facts };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operationId, true, deps.syncTimeoutMs);
  return { kind: 'created', operation: operationId, ...facts };
}

async function answerExisting(
  deps: InstanceDeps,
  entry: CatalogEntry | undefined,
  request: ProvisionRequest,
  requestHash: string,
  { instance, operation }: FoundInstance,
): Promise<ProvisionOutcome> {
  if (instance.state === 'deprovisioning') throw new BrokerError('concurrency', 'the instance is being deleted: wait until it is gone');
  if (instance.requestHash !== requestHash || instance.planId !== request.planId) {
    throw new BrokerError(
      'conflict',
      'a service instance with this id exists with other attributes: use another instance_id, or the attributes it was made with',
    );
  }
  const stored = entry ?? deps.catalog.find(instance.serviceId, instance.planId);
  const facts = stored === undefined ? { metadata: { labels: {}, attributes: {} } } : factsOf(stored.offering, stored.plan);
  if (instance.state !== 'provisioning' || operation === undefined) return { kind: 'exists', ...facts };
  if (stored?.plan.asynchronous === true) {
    requireAsync(true, request.acceptsIncomplete);
    return { kind: 'accepted', operation: operation.id, ...facts };
  }
  await runSynchronously(deps.runner, deps.stores.operations, operation.id, false, deps.syncTimeoutMs);
  return { kind: 'exists', operation: operation.id, ...facts };
}
