import { hash } from 'node:crypto';
import { requestType } from '../usage-event.ts';
import type { AccessLogLine } from './access-log-line.ts';

/** As POST /v1/usage/events takes it (CloudEvents 1.0, JSON). */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, string | number>>;
}
/** The off-mesh gateway: what it relays for bindings is counted by its own log, which names the consumers behind it. */
export interface RelayingGateway {
  /** `spiffe://…`, as which it calls the services. */
  readonly principal: string;
  /** Whether a host, as callers write it, is one that it gives to a binding. */
  readonly isOfBinding: (host: string) => boolean;
}
const source = 'urn:meshbroker:access-log';

/**
 * undefined: the line is counted here. A request is counted where the line names its caller; with `principal`, by the outbound lines of
 * the caller's own proxy. What the gateway sends besides its bindings' requests is counted as the gateway's own.
 */
export function whyNotCounted(line: AccessLogLine, principal: string | null, gateway: RelayingGateway | undefined): string | undefined {
  if (principal !== null) return line.direction === 'outbound' ? undefined : 'it was sent to no service of the mesh';
  if (line.principal === '')
    return line.direction === 'outbound'
      ? "written by the caller's own proxy, which does not name the caller: the called service's log counts it"
      : 'it names no caller: the connection came without mutual TLS';
  return line.principal === gateway?.principal && gateway.isOfBinding(line.authority)
    ? `relayed by the gateway ${line.principal} for a binding: the gateway's own log names the consumers, import that one`
    : undefined;
}

/** The event of a line that is counted. */
export function toEvent(line: AccessLogLine, principal: string | null): CloudEvent {
  const caller = principal ?? line.principal;
  const answeredBy = answererOf(line);
  return {
    specversion: '1.0',
    id: keyOf(line, caller),
    source,
    type: requestType,
    time: line.time,
    data: {
      principal: caller,
      host: line.host,
      code: line.code,
      request_bytes: line.requestBytes,
      response_bytes: line.responseBytes,
      ...(line.policy === '' ? {} : { policy: line.policy }),
      ...(line.port === undefined ? {} : { port: line.port }),
      ...(line.protocol === '' ? {} : { protocol: line.protocol }),
      ...(answeredBy === undefined ? {} : { answered_by: answeredBy }),
    },
  };
}

/** The same line has the same key in every file and at every import. Callers choose request ids, so the id alone would not do. */
function keyOf(line: AccessLogLine, caller: string): string {
  const request = [line.host, line.requestId, line.time, caller, line.method, line.path];
  const answer = [line.code, line.requestBytes, line.responseBytes, line.duration];
  return hash('sha256', [...request, ...answer].join('\0'), 'hex').slice(0, 40);
}

/** What a far proxy and the service behind it answer looks alike from outside: there the code alone decides. */
function answererOf({ direction, details }: AccessLogLine): 'mesh' | 'service' | undefined {
  if (details === '') return undefined;
  if (details.startsWith('rbac_access_denied')) return 'mesh';
  if (!details.startsWith('via_upstream')) return direction === 'unknown' ? undefined : 'mesh';
  return direction === 'inbound' ? 'service' : undefined;
}
