import { BrokerError } from '../../kernel/errors.ts';
import { unreachable } from '../../kernel/unreachable.ts';
import type { Handler, Reply } from '../contract.ts';
import type { operations } from '../generated/osb.ts';
import type { OsbContext, OsbServices } from './osb-services.ts';
import { objectOrNull, toBinding, toLastOperation } from './convert.ts';
import { warnOfOtherPlatform } from './headers.ts';
import { lastOperationReply } from './last-operation.ts';
import { noStore } from './no-store.ts';

/** Asynchronous binds came with 2.14 (AMB-29). */
const firstAsyncMinor = 14;

type Bind = operations['serviceBinding.binding'];
export const bind =
  ({ bindings, logger }: OsbServices): Handler<Bind, OsbContext> =>
  async ({ path, query, body, context }): Promise<Reply<Bind>> => {
    const predecessorBindingId = body.predecessor_binding_id ?? null;
    if (predecessorBindingId === null) {
      for (const field of ['service_id', 'plan_id'] as const) {
        if (body[field] === undefined) throw new BrokerError('bad-request', `${field} (body) is missing: send it`, { field });
      }
    }
    const requestContext = objectOrNull(body.context);
    warnOfOtherPlatform(logger, context.caller, requestContext);
    const outcome = await bindings.bind(context.caller, {
      instanceId: path.instance_id,
      bindingId: path.binding_id,
      serviceId: body.service_id ?? null,
      planId: body.plan_id ?? null,
      context: requestContext,
      bindResource: bindResourceOf(body),
      parameters: objectOrNull(body.parameters),
      predecessorBindingId,
      acceptsIncomplete: query.accepts_incomplete === 'true' && context.minor >= firstAsyncMinor,
    });
    switch (outcome.kind) {
      case 'created':
        return { status: 201, headers: noStore, body: toBinding(outcome.binding, context.minor), operation: outcome.operation };
      case 'exists':
        return { status: 200, headers: noStore, body: toBinding(outcome.binding, context.minor), operation: outcome.operation };
      case 'accepted':
        return { status: 202, headers: noStore, body: { operation: outcome.operation } };
      default:
        return unreachable(outcome);
    }
  };

/** The deprecated app_guid is bind_resource.app_guid (BND-10); an empty one is none (INT-02). */
function bindResourceOf(body: {
  bind_resource?: Record<string, unknown> | null;
  app_guid?: string | null;
}): ReturnType<typeof objectOrNull> {
  const resource = objectOrNull(body.bind_resource);
  const app = body.app_guid ?? '';
  if (app === '' || (typeof resource?.['app_guid'] === 'string' && resource['app_guid'] !== '')) return resource;
  return { ...resource, app_guid: app };
}

type Fetch = operations['serviceBinding.get'];
export const fetchBinding =
  ({ bindings }: OsbServices): Handler<Fetch, OsbContext> =>
  async ({ path, context }): Promise<Reply<Fetch>> => {
    const view = await bindings.fetch(context.caller, path.instance_id, path.binding_id);
    return { status: 200, headers: noStore, body: toBinding(view, context.minor) };
  };

type Unbind = operations['serviceBinding.unbinding'];
export const unbind =
  ({ bindings }: OsbServices): Handler<Unbind, OsbContext> =>
  async ({ path, query, context }): Promise<Reply<Unbind>> => {
    const outcome = await bindings.unbind(context.caller, path.instance_id, path.binding_id, {
      serviceId: query.service_id ?? '',
      planId: query.plan_id ?? '',
      acceptsIncomplete: query.accepts_incomplete === 'true' && context.minor >= firstAsyncMinor,
    });
    if (outcome.kind === 'deleted') return { status: 200, headers: noStore, body: {}, operation: outcome.operation };
    return { status: 202, headers: noStore, body: { operation: outcome.operation } };
  };

type LastOperation = operations['serviceBinding.lastOperation.get'];
export const lastBindingOperation =
  ({ bindings, settings }: OsbServices): Handler<LastOperation, OsbContext> =>
  async ({ path, query, context }): Promise<Reply<LastOperation>> => {
    const outcome = await bindings.lastOperation(context.caller, path.instance_id, path.binding_id, query.operation ?? null);
    return lastOperationReply(outcome, settings, 'service binding', (operation) => {
      const { state, description } = toLastOperation(operation, context.minor);
      return { state, ...(description === undefined ? {} : { description }) };
    });
  };
