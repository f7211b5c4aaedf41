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
const source = 'urn:meshbroker:access-log';

/**
 * The event of a line, or undefined where the line is counted elsewhere: a request is counted where the line names its caller; with
 * `principal`, by the outbound lines of the caller's own proxy.
 */
export function toEvent(line: AccessLogLine, principal: string | null): CloudEvent | undefined {
  if (principal === null ? line.principal === '' : line.direction !== 'outbound') return undefined;
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
