import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from 'express';
import type { Principal } from '../access/principal.ts';
import type { Asked, DenialLog } from '../audit/denials.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Authenticator } from './authenticate.ts';
import { denialOf } from './authenticate.ts';
import type { AnyReply } from './contract.ts';
import type { Exchange } from './exchange.ts';
import { exchangeOf } from './exchange.ts';
import type { Door } from './mount.ts';
import type { RequestMetrics } from './ports.ts';
import type { SecurityHeaders } from './security-headers.ts';
import { sendReply } from './send.ts';

export interface DoorDeps {
  readonly denials: DenialLog;
  readonly authenticate: Authenticator['authenticate'];
  readonly logger: Logger;
  readonly metrics: RequestMetrics;
  readonly security: SecurityHeaders;
}
/** The end of every request: reply, one log line, one metric. */
export function doorOf({ authenticate, denials, logger, metrics, security }: DoorDeps): Door {
  const settle = settler(logger, metrics);
  const report = (request: IncomingMessage, error: unknown): void => {
    const { requestId, operationId } = exchangeOf(request);
    logger.error({ requestId, operation: operationId, error }, 'a request failed');
  };
  return {
    authenticate,
    report,
    deny(request, error) {
      denials.record(
        denialOf(request, callerName(exchangeOf(request).principal, 'platform:') ?? 'anonymous', 403, askedOf(request, error)),
      );
    },
    finish(request: IncomingMessage, response: ServerResponse, reply: AnyReply) {
      const exchange = exchangeOf(request);
      try {
        sendReply(response, exchange, reply, reply.type === 'text/html' ? security.html : security.api);
        settle(exchange, request.method ?? '', reply);
      } catch (error) {
        report(request, error);
        response.destroy();
      }
    },
  };
}

/** What a caller who is known may not have. */
function askedOf({ params }: Request, error: unknown): Asked | null {
  if (!(error instanceof BrokerError)) return null;
  const idOf = (name: string): string | null => (typeof params[name] === 'string' ? params[name] : null);
  return {
    instanceId: idOf('instance_id'),
    bindingId: idOf('binding_id'),
    namespace: error.context.namespace ?? null,
    reason: error.message,
  };
}

/** One line and one metric for a finished request; never a header or body of it. */
export function settler(
  logger: Logger,
  metrics: RequestMetrics,
): (exchange: Exchange, method: string, reply: Pick<AnyReply, 'status' | 'body' | 'operation'>) => void {
  return (exchange, method, { status, body, operation: waitedFor }) => {
    const { requestId, operationId, contract, principal } = exchange;
    const ms = performance.now() - exchange.startedAt;
    const operation = operationId ?? 'none';
    metrics.request({ contract: contract ?? 'none', operation, status }, ms / 1_000);
    const fields = {
      requestId,
      operation,
      method,
      platform: callerName(principal),
      status,
      ms: Math.round(ms * 100) / 100,
      brokerOperation: waitedFor ?? operationOf(body),
    };
    if (status >= 500) logger.error(fields, 'request');
    else logger.info(fields, 'request');
  };
}
/** `cf-eu` for a platform, `admin:name` for others; null: nobody. */
const callerName = (principal: Principal | null, prefix = ''): string | null =>
  principal === null ? null : `${principal.kind === 'platform' ? prefix : `${principal.kind}:`}${principal.name}`;

/** The id of the operation that an accepted request started. */
function operationOf(body: unknown): string | undefined {
  const operation = typeof body === 'object' && body !== null && 'operation' in body ? body.operation : undefined;
  return typeof operation === 'string' ? operation : undefined;
}
