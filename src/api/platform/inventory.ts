import { BrokerError } from '../../kernel/errors.ts';
import type { BindingLine, InstanceLine, Inventory, OperationLine } from '../../operations/inventory-port.ts';
import type { Reply, Request } from '../contract.ts';
import type { components, operations } from '../generated/platform.ts';
import { actorOf, scopeOf } from './caller.ts';
import { linkTo, page } from './page.ts';

type Schemas = components['schemas'];
const defaultLimit = 50;
const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

const toApiInstance = (line: InstanceLine): Schemas['Instance'] => ({
  ref: line.ref,
  instance_id: line.instanceId,
  platform: line.platform,
  state: line.state,
  offering: line.offering,
  plan: line.plan,
  service_id: line.serviceId,
  plan_id: line.planId,
  organization_guid: line.organizationGuid,
  space_guid: line.spaceGuid,
  created_at: line.createdAt.toISOString(),
  ready_at: iso(line.readyAt),
});
const toApiBinding = (line: BindingLine): Schemas['Binding'] => ({
  ref: line.ref,
  binding_id: line.bindingId,
  instance_ref: line.instanceRef,
  instance_id: line.instanceId,
  platform: line.platform,
  state: line.state,
  exposure: line.exposure,
  offering: line.offering,
  plan: line.plan,
  consumer: line.consumer,
  consumer_kind: line.consumerKind,
  principal: line.principal,
  lineage_id: line.lineageId,
  created_at: line.createdAt.toISOString(),
  expires_at: iso(line.expiresAt),
  renew_before: iso(line.renewBefore),
  renewal_due: line.renewalDue,
});
const toApiOperation = (line: OperationLine): Schemas['Operation'] => ({
  id: line.id,
  platform: line.platform,
  resource_kind: line.resourceKind,
  resource: line.resource,
  kind: line.kind,
  state: line.state,
  step: line.step,
  attempts: line.attempts,
  description: line.description,
  last_error: line.lastError,
  created_at: line.createdAt.toISOString(),
  finished_at: iso(line.finishedAt),
  next_run_at: line.nextRunAt.toISOString(),
});

type Instances = operations['instances.list'];
export const listInstances =
  (inventory: Inventory) =>
  async ({ query, context }: Request<Instances>): Promise<Reply<Instances>> => {
    const limit = query.limit ?? defaultLimit;
    const lines = await inventory.instances({
      platformId: scopeOf(context),
      limit: limit + 1,
      after: query.after ?? null,
      state: query.state ?? null,
    });
    return page(lines, limit, (line) => line.ref, toApiInstance, linkTo('/v1/instances', query));
  };

type Bindings = operations['bindings.list'];
export const listBindings =
  (inventory: Inventory) =>
  async ({ query, context }: Request<Bindings>): Promise<Reply<Bindings>> => {
    const limit = query.limit ?? defaultLimit;
    const lines = await inventory.bindings({
      platformId: scopeOf(context),
      limit: limit + 1,
      after: query.after ?? null,
      state: query.state ?? null,
      consumer: query.consumer ?? null,
      expiresBefore: query.expires_before === undefined ? null : new Date(query.expires_before),
      instanceRef: query.instance ?? null,
    });
    return page(lines, limit, (line) => line.ref, toApiBinding, linkTo('/v1/bindings', query));
  };

type OneBinding = operations['bindings.get'];
export const getBinding =
  (inventory: Inventory) =>
  async ({ path, context }: Request<OneBinding>): Promise<Reply<OneBinding>> => ({
    status: 200,
    body: toApiBinding(await findBinding(inventory, path.ref, scopeOf(context))),
  });
export async function findBinding(inventory: Inventory, ref: string, platformId: string | null): Promise<BindingLine> {
  const line = await inventory.binding(ref, platformId);
  if (line === undefined) throw new BrokerError('not-found', `there is no service binding ${ref}: see /v1/bindings`);
  return line;
}

type Operations = operations['operations.list'];
export const listOperations =
  (inventory: Inventory) =>
  async ({ query, context }: Request<Operations>): Promise<Reply<Operations>> => {
    const limit = query.limit ?? defaultLimit;
    const lines = await inventory.operations({
      platformId: scopeOf(context),
      limit: limit + 1,
      after: query.after ?? null,
      state: query.state ?? null,
      unfinished: query.unfinished === true,
    });
    return page(lines, limit, (line) => line.id, toApiOperation, linkTo('/v1/operations', query));
  };

type Retry = operations['operations.retry'];
export const retryOperation =
  (inventory: Inventory) =>
  async ({ path, context }: Request<Retry>): Promise<Reply<Retry>> => ({
    status: 202,
    body: toApiOperation(await inventory.retryOperation(path.id, actorOf(context))),
  });

type Release = operations['guards.release'];
export const releaseGuard =
  (inventory: Inventory) =>
  async ({ path, context }: Request<Release>): Promise<Reply<Release>> => ({
    status: 202,
    body: toApiOperation(await inventory.releaseGuard(path.offering, actorOf(context))),
  });
