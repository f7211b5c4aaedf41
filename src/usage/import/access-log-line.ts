import { isJsonObject, type JsonObject } from '../../kernel/json.ts';

/** One request or connection as a proxy logged it, in any of the three formats that are read. '' where the format does not say. */
export interface AccessLogLine {
  /** inbound: by the called service's proxy or its waypoint; outbound: by the caller's own, or by a gateway. */
  readonly direction: 'inbound' | 'outbound' | 'unknown';
  /** Whether the format has a field for the caller. */
  readonly namesCallers: boolean;
  /** RFC 3339. */
  readonly time: string;
  /** The proxy's id of the request, else the one of its header. */
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  /** TCP for a connection. */
  readonly protocol: string;
  /** The service that was called: as routed, else as the caller wrote it. */
  readonly host: string;
  readonly port: number | undefined;
  /** The host that the caller wrote: lower case, without port. */
  readonly authority: string;
  readonly code: number;
  /** Who made the answer, or why the connection ended. */
  readonly details: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly duration: number;
  /** Who called, verified by mTLS. */
  readonly principal: string;
  /** Verdict or policy that let it in. */
  readonly policy: string;
}

/** undefined: no access-log line of Envoy (other messages stand between them). */
export const parseLine = (text: string): AccessLogLine | undefined => (text.startsWith('{') ? parseJson(text) : parseText(text));

/** Our telemetry's format, and Istio's default one for JSON. */
function parseJson(text: string): AccessLogLine | undefined {
  const value = jsonObject(text);
  if (value === undefined) return undefined;
  const time = textOf(value, 'start_time');
  if (time === '' || value['response_code'] === undefined || value['upstream_cluster'] === undefined) return undefined;
  const cluster = clusterOf(textOf(value, 'upstream_cluster'));
  const authority = textOf(value, 'authority');
  return {
    direction: cluster.direction,
    namesCallers: value['source_principal'] !== undefined,
    time,
    requestId: textOf(value, 'stream_id') || textOf(value, 'request_id'),
    method: textOf(value, 'method'),
    path: textOf(value, 'path'),
    protocol: textOf(value, 'method') === '' ? 'TCP' : textOf(value, 'protocol'),
    host: cluster.host || withoutPort(authority),
    port: cluster.port ?? portOf(authority),
    authority: withoutPort(authority).toLowerCase(),
    code: numberOf(value, 'response_code'),
    details: detailsOf(textOf(value, 'response_code_details'), textOf(value, 'connection_termination_details')),
    requestBytes: numberOf(value, 'bytes_received'),
    responseBytes: numberOf(value, 'bytes_sent'),
    duration: numberOf(value, 'duration'),
    principal: textOf(value, 'source_principal'),
    policy: ['verdict', 'tcp_verdict', 'policy', 'tcp_policy'].map((field) => textOf(value, field)).find((each) => each !== '') ?? '',
  };
}
function jsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
const textOf = (object: JsonObject, field: string): string => {
  const value = object[field];
  return typeof value === 'string' && value !== '-' ? value : '';
};
const numberOf = (object: JsonObject, field: string): number => {
  const value = Number(object[field] ?? 0);
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
};

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';
/** Istio's default text: [time] "method path protocol" code flags details termination "failure" received sent duration upstream-time … */
const textLine = new RegExp(
  String.raw`^\[([^\]]+)\] ${quoted} (\d+) \S+ (.*?) ${quoted} (\d+) (\d+) (\d+) \S+ ${quoted} ${quoted} ${quoted} ${quoted} ${quoted} (\S+) `,
);
function parseText(text: string): AccessLogLine | undefined {
  const match = textLine.exec(text);
  if (match === null) return undefined;
  // a group of the expression is always there, be it empty
  const group = (number: number): string => dashless(match[number] ?? '');
  const { direction, host, port } = clusterOf(group(14));
  const [, method = '', path = '', protocol = ''] = /^(\S+) (.*) (\S+)$/.exec(group(2)) ?? [];
  const authority = group(12);
  const isConnection = dashless(method) === '';
  return {
    direction,
    namesCallers: false,
    time: group(1),
    requestId: group(11),
    method: dashless(method),
    path: dashless(path),
    protocol: isConnection ? 'TCP' : dashless(protocol),
    host: host || withoutPort(authority),
    port: port ?? portOf(authority),
    authority: withoutPort(authority).toLowerCase(),
    code: Number(group(3)),
    details: group(4).split(' ').map(dashless).reduce(detailsOf, ''), // prettier-ignore
    requestBytes: Number(group(6)),
    responseBytes: Number(group(7)),
    duration: Number(group(8)),
    principal: '',
    policy: '',
  };
}
const dashless = (text: string): string => (text === '-' ? '' : text);
const detailsOf = (details: string, termination: string): string => details || termination;
const withoutPort = (authority: string): string => authority.replace(/:\d+$/, '');
const portOf = (authority: string): number | undefined => {
  const [, port] = /:(\d{1,5})$/.exec(authority) ?? [];
  return port === undefined ? undefined : Number(port);
};

/** `outbound|9080|v2|reviews.bookinfo.svc.cluster.local`, `inbound|9080||`, `inbound-vip|9080|http|…`; some proxies add a semicolon. */
function clusterOf(cluster: string): Pick<AccessLogLine, 'direction' | 'host' | 'port'> {
  const [kind = '', port, , host = ''] = cluster.replace(/;$/, '').split('|');
  const direction = kind.startsWith('inbound') ? 'inbound' : kind === 'outbound' ? 'outbound' : 'unknown';
  return { direction, host, port: port !== undefined && /^\d{1,5}$/.test(port) ? Number(port) : undefined };
}
