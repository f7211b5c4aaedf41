import type { IncomingMessage } from 'node:http';
import type { Principal } from '../access/principal.ts';
import type { ContractName } from './contract.ts';

/** What the door learns about one request on its way through; the log line, the metrics and the echo are made of it. */
export interface Exchange {
  readonly requestId: string;
  /** X-Broker-API-Request-Identity as sent, when it may be echoed (OSB RID-01). */
  readonly echo: string | null;
  readonly startedAt: number;
  contract: ContractName | null;
  operationId: string | null;
  principal: Principal | null;
}

const exchanges = new WeakMap<IncomingMessage, Exchange>();
export const rememberExchange = (request: IncomingMessage, exchange: Exchange): void => void exchanges.set(request, exchange);
export function exchangeOf(request: IncomingMessage): Exchange {
  const exchange = exchanges.get(request);
  if (exchange === undefined) throw new Error('this request did not come through createHttpServer');
  return exchange;
}

const printable = /^[\x20-\x7e\x80-\xff]{1,1024}$/;
const asRequestId = /^[A-Za-z0-9._:@/+=-]{1,128}$/;
const single = (value: string | string[] | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/**
 * The request id is the caller's where it can be written anywhere as it is, else one of ours. The echo is the caller's header byte
 * for byte; a value with control characters is not echoed (no header can be injected by it).
 */
export function beginExchange(request: IncomingMessage, newId: () => string): Exchange {
  const identity = single(request.headers['x-broker-api-request-identity']);
  const requestId = [identity, single(request.headers['x-request-id'])].find((id) => id !== undefined && asRequestId.test(id));
  return {
    requestId: requestId ?? newId(),
    echo: identity !== undefined && printable.test(identity) ? identity : null,
    startedAt: performance.now(),
    contract: null,
    operationId: null,
    principal: null,
  };
}
