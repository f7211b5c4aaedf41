import { unreachable } from '../../kernel/unreachable.ts';
import type { Handler, Reply } from '../contract.ts';
import type { operations } from '../generated/osb.ts';
import type { OsbContext, OsbServices } from './osb-services.ts';
import { maintenanceVersionOf, objectOrNull, toInstanceMetadata, toLastOperation } from './convert.ts';
import { warnOfOtherPlatform } from './headers.ts';
import { lastOperationReply } from './last-operation.ts';
import { noStore } from './no-store.ts';

type Provision = operations['serviceInstance.provision'];
export const provision =
  ({ instances, logger }: OsbServices): Handler<Provision, OsbContext> =>
  async ({ path, query, body, context }): Promise<Reply<Provision>> => {
    const requestContext = objectOrNull(body.context);
    warnOfOtherPlatform(logger, context.caller, requestContext);
    const outcome = await instances.provision(context.caller, {
      instanceId: path.instance_id,
      serviceId: body.service_id,
      planId: body.plan_id,
      organizationGuid: body.organization_guid,
      spaceGuid: body.space_guid,
      context: requestContext,
      parameters: objectOrNull(body.parameters),
      maintenanceVersion: maintenanceVersionOf(body.maintenance_info),
      acceptsIncomplete: query.accepts_incomplete === 'true',
    });
    const metadata = toInstanceMetadata(outcome, context.minor);
    switch (outcome.kind) {
      case 'created':
        return { status: 201, headers: noStore, body: metadata, operation: outcome.operation };
      case 'exists':
        return { status: 200, headers: noStore, body: metadata, operation: outcome.operation };
      case 'accepted':
        return { status: 202, headers: noStore, body: { operation: outcome.operation, ...metadata } };
      default:
        return unreachable(outcome);
    }
  };

type Update = operations['serviceInstance.update'];
export const update =
  ({ instances, logger }: OsbServices): Handler<Update, OsbContext> =>
  async ({ path, query, body, context }): Promise<Reply<Update>> => {
    const requestContext = objectOrNull(body.context);
    warnOfOtherPlatform(logger, context.caller, requestContext);
    const outcome = await instances.update(context.caller, {
      instanceId: path.instance_id,
      serviceId: body.service_id,
      planId: body.plan_id ?? null,
      context: requestContext,
      parameters: objectOrNull(body.parameters),
      maintenanceVersion: maintenanceVersionOf(body.maintenance_info),
      acceptsIncomplete: query.accepts_incomplete === 'true',
    });
    const metadata = toInstanceMetadata(outcome, context.minor);
    if (outcome.kind === 'updated') return { status: 200, headers: noStore, body: metadata, operation: outcome.operation };
    return { status: 202, headers: noStore, body: { operation: outcome.operation, ...metadata } };
  };

type Fetch = operations['serviceInstance.get'];
export const fetchInstance =
  ({ instances }: OsbServices): Handler<Fetch, OsbContext> =>
  async ({ path, context }): Promise<Reply<Fetch>> => {
    const view = await instances.fetch(context.caller, path.instance_id);
    return {
      status: 200,
      headers: noStore,
      body: {
        service_id: view.serviceId,
        plan_id: view.planId,
        ...(view.parameters === null ? {} : { parameters: view.parameters }),
        ...(view.maintenanceVersion === null || context.minor < 17 ? {} : { maintenance_info: { version: view.maintenanceVersion } }),
        ...toInstanceMetadata(view, context.minor),
      },
    };
  };

type Deprovision = operations['serviceInstance.deprovision'];
export const deprovision =
  ({ instances }: OsbServices): Handler<Deprovision, OsbContext> =>
  async ({ path, query, context }): Promise<Reply<Deprovision>> => {
    const outcome = await instances.deprovision(context.caller, path.instance_id, {
      serviceId: query.service_id,
      planId: query.plan_id,
      acceptsIncomplete: query.accepts_incomplete === 'true',
    });
    if (outcome.kind === 'deleted') return { status: 200, headers: noStore, body: {}, operation: outcome.operation };
    return { status: 202, headers: noStore, body: { operation: outcome.operation } };
  };

type LastOperation = operations['serviceInstance.lastOperation.get'];
export const lastInstanceOperation =
  ({ instances, settings }: OsbServices): Handler<LastOperation, OsbContext> =>
  async ({ path, query, context }): Promise<Reply<LastOperation>> => {
    const outcome = await instances.lastOperation(context.caller, path.instance_id, query.operation ?? null);
    return lastOperationReply(outcome, settings, 'service instance', (operation) => toLastOperation(operation, context.minor));
  };
