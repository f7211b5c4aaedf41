import type { ErrorCode } from '../../kernel/errors.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { AnyReply } from '../contract.ts';

interface OsbRefusal {
  readonly status: number;
  readonly error: string;
  /** Instead of the message: clients compare these texts (INT-03). */
  readonly description?: string;
}
/** OSB status and error word of every refusal: a new code does not compile until it has a line here. */
const refusals: Record<ErrorCode, OsbRefusal> = {
  'bad-request': { status: 400, error: 'BadRequest' },
  unauthenticated: { status: 401, error: 'Unauthorized' },
  forbidden: { status: 403, error: 'Forbidden' },
  'not-found': { status: 404, error: 'NotFound' },
  gone: { status: 410, error: 'Gone' },
  conflict: { status: 409, error: 'Conflict' },
  'async-required': {
    status: 422,
    error: 'AsyncRequired',
    description: 'This service plan requires client support for asynchronous service operations.',
  },
  concurrency: {
    status: 422,
    error: 'ConcurrencyError',
    description: 'The Service Broker does not support concurrent requests that mutate the same resource.',
  },
  'maintenance-conflict': { status: 422, error: 'MaintenanceInfoConflict' },
  'requires-app': {
    status: 422,
    error: 'RequiresApp',
    description: 'This service supports generation of credentials through binding an application only.',
  },
  'plan-change-not-supported': { status: 422, error: 'PlanChangeNotSupported' },
  'route-conflict': { status: 422, error: 'RouteConflict' },
  'provision-failed': { status: 422, error: 'ProvisionFailed' },
  'too-large': { status: 413, error: 'TooLarge' },
  'rate-limited': { status: 429, error: 'TooManyRequests' },
  'timed-out': { status: 503, error: 'TimedOut' },
  unavailable: { status: 503, error: 'Unavailable' },
  internal: { status: 500, error: 'InternalError' },
};
const unknown = 'The broker failed; its log has the reason under the request id.';

/** Every refusal is a JSON object with a word and a sentence (ERR-01, AMB-23); anything unknown is a fixed sentence (ERR-06). */
export function toOsbError(error: unknown, operationId: string | null): AnyReply {
  const known = error instanceof BrokerError ? error : undefined;
  const { status, error: word, description } = refusals[known?.code ?? 'internal'];
  const message = known === undefined || known.code === 'internal' ? unknown : (description ?? known.message);
  return {
    status,
    headers: { 'Cache-Control': 'no-store' },
    body: { error: word, description: message, ...usability(known, operationId) },
  };
}

/** ERR-03, ERR-04: instance_usable in errors of update and deprovision only, update_repeatable in those of update only. */
function usability(error: BrokerError | undefined, operationId: string | null): Record<string, boolean> {
  const { instanceUsable, updateRepeatable } = error?.context ?? {};
  const update = operationId === 'serviceInstance.update';
  const usable = update || operationId === 'serviceInstance.deprovision';
  return {
    ...(usable && instanceUsable !== undefined ? { instance_usable: instanceUsable } : {}),
    ...(update && updateRepeatable !== undefined ? { update_repeatable: updateRepeatable } : {}),
  };
}
