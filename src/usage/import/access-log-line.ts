import { isJsonObject, type JsonObject } from '../../kernel/json.ts';

/** One request as a proxy logged it, in any of the three formats that are read. */
export interface AccessLogLine {
  /** inbound: logged by the called service's proxy; outbound: by the caller's own. */
  readonly direction: 'inbound' | 'outbound' | 'unknown';
  readonly time: string;
  readonly requestId: string;
  /** Distinguishes requests that carry the same id; '' in formats without it. */
  readonly streamId: string;
  readonly host: string;
  readonly code: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Who called, verified by mTLS; '' in formats that do not say. */
  readonly principal: string;
  readonly destinationPrincipal: string;
  /** Verdict or policy that let it in. */
  readonly policy: string;
}

/** undefined: not an access-log line of Envoy (start-up messages stand between them). */
export function parseLine(text: string): AccessLogLine | undefined {
  return text.startsWith('{') ? parseJson(text) : parseText(text);
}

function parseJson(text: string): AccessLogLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || typeof value['start_time'] !== 'string' || value['response_code'] === undefined) return undefined;
  return {
    direction: directionOf(textOf(value, 'upstream_cluster')),
    time: value['start_time'],
    requestId: textOf(value, 'request_id'),
    streamId: textOf(value, 'stream_id'),
    host: textOf(value, 'authority'),
    code: numberOf(value, 'response_code'),
    requestBytes: numberOf(value, 'bytes_received'),
    responseBytes: numberOf(value, 'bytes_sent'),
    principal: textOf(value, 'source_principal'),
    destinationPrincipal: textOf(value, 'destination_principal'),
    policy: textOf(value, 'verdict') || textOf(value, 'tcp_verdict') || textOf(value, 'policy'),
  };
}
const directionOf = (cluster: string): AccessLogLine['direction'] =>
  cluster.startsWith('inbound|') ? 'inbound' : cluster.startsWith('outbound|') ? 'outbound' : 'unknown';
const textOf = (object: JsonObject, key: string): string => {
  const value = object[key];
  return typeof value === 'string' && value !== '-' ? value : '';
};
const numberOf = (object: JsonObject, key: string): number => Number(object[key] ?? 0) || 0;

/** Istio's default text: time, request, code, flags, details, termination, failure, bytes, durations, then quoted and plain fields. */
const textLine = /^\[([^\]]+)\] "[^"]*" (\d+) \S+ (?:.+?) "[^"]*" (\d+) (\d+) \d+ \S+ "[^"]*" "[^"]*" "([^"]*)" "([^"]*)" "[^"]*" (\S+) /;
function parseText(text: string): AccessLogLine | undefined {
  const [, time, code, received, sent, requestId, host, cluster] = textLine.exec(text) ?? [];
  if (time === undefined || cluster === undefined) return undefined;
  return {
    direction: directionOf(cluster),
    time,
    requestId: requestId ?? '',
    streamId: '',
    host: host ?? '',
    code: Number(code),
    requestBytes: Number(received),
    responseBytes: Number(sent),
    principal: '',
    destinationPrincipal: '',
    policy: '',
  };
}
