import { createHash } from 'node:crypto';

/** What was counted while the lines were made: the truth that an import must give. */
export interface Counted {
  requests: number;
  denied: number;
  limited: number;
  requestBytes: number;
  responseBytes: number;
}
export interface GeneratedLogs {
  /** One file for each proxy: `<service>.log` (inbound and outbound lines) and `<caller>.log` (outbound only). */
  readonly principal: ReadonlyMap<string, string>;
  readonly json: ReadonlyMap<string, string>;
  readonly text: ReadonlyMap<string, string>;
  /** `<caller> <service>` as the destination saw it, and as the caller sent it (a refused body never arrives). */
  readonly inbound: ReadonlyMap<string, Counted>;
  readonly outbound: ReadonlyMap<string, Counted>;
}
const callers = ['web/web-frontend', 'batch/nightly', 'mobile/mobile-bff'];
const services = ['reviews', 'details'];
export const principalOf = (caller: string): string => `spiffe://mesh.example.com/ns/${caller.replace('/', '/sa/')}`;

/** Access logs of a small Bookinfo in the three formats that are read; the same for the same start. */
export function generateLogs(start: Date, requests: number): GeneratedLogs {
  const draw = dice();
  const [principal, json, text] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string>()];
  const [inbound, outbound] = [new Map<string, Counted>(), new Map<string, Counted>()];
  const add = (to: Map<string, string>, file: string, line: string): void => void to.set(file, `${to.get(file) ?? ''}${line}\n`);
  for (let n = 0; n < requests; n += 1) {
    const caller = callers[draw(callers.length)] ?? '';
    const service = services[draw(services.length)] ?? '';
    const code = [200, 200, 200, 200, 200, 200, 500, 403, 429, 201][draw(10)] ?? 200;
    const sent = draw(3) === 0 ? draw(500) : 0;
    const line = {
      id: createHash('sha256').update(String(n)).digest('hex').slice(0, 32),
      time: new Date(start.getTime() + n * 37).toISOString(),
      host: `${service}.bookinfo.svc.cluster.local:9080`,
      caller,
      service,
      code,
      received: code === 403 ? 0 : sent,
      sent,
      answered: code === 403 ? 19 : 100 + draw(400),
    };
    count(inbound, `${caller} ${service}`, code, line.received, line.answered);
    count(outbound, `${caller} ${service}`, code, sent, line.answered);
    add(principal, `${service}.log`, jsonLine(line, 'inbound', true));
    add(principal, `${caller.split('/')[1] ?? ''}.log`, jsonLine(line, 'outbound', true));
    add(json, `${service}.log`, jsonLine(line, 'inbound', false));
    add(json, `${caller.split('/')[1] ?? ''}.log`, jsonLine(line, 'outbound', false));
    add(text, `${service}.log`, textLine(line, 'inbound'));
    add(text, `${caller.split('/')[1] ?? ''}.log`, textLine(line, 'outbound'));
  }
  add(text, 'reviews.log', '2026-11-24T10:00:00.000000Z\tinfo\tEnvoy proxy is ready');
  return { principal, json, text, inbound, outbound };
}

interface Line {
  readonly id: string;
  readonly time: string;
  readonly host: string;
  readonly caller: string;
  readonly service: string;
  readonly code: number;
  readonly received: number;
  readonly sent: number;
  readonly answered: number;
}
type Direction = 'inbound' | 'outbound';
const clusterOf = ({ host }: Line, direction: Direction): string =>
  direction === 'inbound' ? 'inbound|9080||' : `outbound|9080||${host.replace(':9080', '')}`;

/** What Envoy itself answered, and not the service. */
const detailsOf: Readonly<Record<number, string>> = { 403: 'rbac_access_denied_matched_policy[none]', 429: 'local_rate_limited' };
function jsonLine(line: Line, direction: Direction, ours: boolean): string {
  const inbound = direction === 'inbound';
  return JSON.stringify({
    authority: line.host,
    bytes_received: inbound ? line.received : line.sent,
    bytes_sent: line.answered,
    duration: 3,
    method: 'GET',
    path: '/',
    protocol: 'HTTP/1.1',
    request_id: line.id,
    response_code: line.code,
    response_code_details: inbound ? (detailsOf[line.code] ?? 'via_upstream') : 'via_upstream',
    response_flags: line.code === 429 && inbound ? 'RL' : '-',
    route_name: 'default',
    start_time: line.time,
    upstream_cluster: clusterOf(line, direction) + (ours ? ';' : ''),
    ...(ours
      ? {
          attempts: 1,
          destination_principal: inbound ? `spiffe://mesh.example.com/ns/bookinfo/sa/bookinfo-${line.service}` : null,
          policy: null,
          source_principal: inbound ? principalOf(line.caller) : null,
          stream_id: line.id,
          verdict: null,
        }
      : { x_forwarded_for: null, requested_server_name: null }),
  });
}
const textLine = (line: Line, direction: Direction): string =>
  `[${line.time}] "GET / HTTP/1.1" ${line.code} - via_upstream - "-" ${direction === 'inbound' ? line.received : line.sent} ${line.answered} 3 2 "-" "test/1" "${line.id}" "${line.host}" "127.0.0.1:9080" ${clusterOf(line, direction)} 127.0.0.1:1 127.0.0.1:9080 127.0.0.1:2 - default`;

function count(to: Map<string, Counted>, key: string, code: number, requestBytes: number, responseBytes: number): void {
  const counted = to.get(key) ?? { requests: 0, denied: 0, limited: 0, requestBytes: 0, responseBytes: 0 };
  counted.requests += code === 403 || code === 429 ? 0 : 1;
  counted.denied += code === 403 ? 1 : 0;
  counted.limited += code === 429 ? 1 : 0;
  counted.requestBytes += requestBytes;
  counted.responseBytes += responseBytes;
  to.set(key, counted);
}
function dice(): (below: number) => number {
  let thrown = 0;
  return (below) => createHash('sha256').update(`throw ${thrown++}`).digest().readUInt32BE() % below;
}
