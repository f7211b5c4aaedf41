import { crc32 } from 'node:zlib';
import type { Json, JsonObject } from '../kernel/json.ts';
import { isJsonObject } from '../kernel/json.ts';
import { dayMs, parseTime } from './event-time.ts';
import { isMeterName, isOwnMeter } from './meters.ts';
import type { IncomingEvent } from './usage-port.ts';

/** One request or connection, as an access log tells it (docs/usage.md). */
export const requestType = 'dev.meshbroker.request.v1';
/** A quantity of any meter. */
export const quantityType = 'dev.meshbroker.usage.v1';

/** What an event counts, judged: whole base units. */
export interface Measurement {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly meter: string;
  /** '': whatever the meter has. */
  readonly unit: string;
  readonly quantity: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** As sent; caller.ts knows their forms. */
  readonly principal: string;
  readonly policy: string;
  readonly host: string;
  /** What else tells its content from another one's: the answer, or a checksum of meter and unit. */
  readonly kind: number;
}
/** Which times are accepted, before and after now. */
export interface Acceptance {
  readonly now: number;
  readonly pastDays: number;
  readonly futureSeconds: number;
}
/** Pure: what the event counts, or why it is not accepted, with the field and the fix. */
export function judge(event: IncomingEvent, window: Acceptance): Measurement | string {
  const time = parseTime(event.time);
  if (time === undefined) return 'time must be an RFC 3339 time such as 2026-11-23T04:29:40.671Z';
  if (time < window.now - window.pastDays * dayMs)
    return `time is more than ${window.pastDays} days ago: such events are not taken any more`;
  if (time > window.now + window.futureSeconds * 1_000)
    return `time is more than ${window.futureSeconds} s in the future: set the sender's clock`;
  if (!event.id.isWellFormed() || !event.source.isWellFormed()) return 'id and source must be well-formed Unicode';
  if (!isJsonObject(event.data)) return 'data must be a JSON object';
  if (event.type === requestType) return judgeRequest(event, time, event.data);
  if (event.type === quantityType) return judgeQuantity(event, time, event.data);
  return `type must be ${requestType} or ${quantityType}`;
}

function judgeRequest(event: IncomingEvent, time: number, data: JsonObject): Measurement | string {
  const { code, request_bytes: requestBytes = 0, response_bytes: responseBytes = 0 } = data;
  const [protocol, answeredBy] = [textOf(data['protocol']), textOf(data['answered_by'])];
  if (!isCount(code) || code > 599) return 'data.code must be the status of the answer, 0 where there was none';
  if (!isCount(requestBytes)) return 'data.request_bytes must be a whole number of bytes';
  if (!isCount(responseBytes)) return 'data.response_bytes must be a whole number of bytes';
  if (protocol === undefined) return 'data.protocol must be a string such as HTTP/1.1 or TCP';
  if (!isAnswerer(answeredBy)) return 'data.answered_by must be mesh or service';
  const meter = protocol === 'TCP' ? connectionMeter(answeredBy) : requestMeter(code, answeredBy);
  const kind = (code * answerers.length + answerers.indexOf(answeredBy)) * 2 + Number(protocol === 'TCP');
  return measured(event, data, { time, meter, unit: '', quantity: 1, requestBytes, responseBytes, kind });
}
const answerers = ['', 'mesh', 'service'] as const;
type Answerer = (typeof answerers)[number];
const isAnswerer = (text: string | undefined): text is Answerer => text === '' || text === 'mesh' || text === 'service';
/** Refused and limited requests are counted apart; a service's own 403 or 429 is an answer like any other. */
function requestMeter(code: number, answeredBy: Answerer): string {
  if (answeredBy === 'service') return 'requests';
  if (code === 403) return 'denied-requests';
  return code === 429 ? 'limited-requests' : 'requests';
}
const connectionMeter = (answeredBy: Answerer): string => (answeredBy === 'mesh' ? 'denied-connections' : 'connections');

function judgeQuantity(event: IncomingEvent, time: number, data: JsonObject): Measurement | string {
  const { meter, quantity, unit = '' } = data;
  if (typeof meter !== 'string' || !isMeterName(meter)) return 'data.meter must be 1 to 63 of a-z, 0-9 and "-", a letter first';
  if (isOwnMeter(meter)) return `data.meter: ${meter} is counted by the broker itself`;
  if (!isCount(quantity)) return 'data.quantity must be a whole number of base units, at least 0';
  if (typeof unit !== 'string' || (unit !== '' && !isMeterName(unit)))
    return 'data.unit must be 1 to 63 of a-z, 0-9 and "-", a letter first';
  const kind = crc32(`${meter} ${unit}`);
  return measured(event, data, { time, meter, unit, quantity, requestBytes: 0, responseBytes: 0, kind });
}

type Counts = Omit<Measurement, 'principal' | 'policy' | 'host'>;
/** A subject that is a binding's reference names it as a policy does. */
function measured(event: IncomingEvent, data: JsonObject, counts: Counts): Measurement | string {
  const principal = textOf(data['principal']);
  const policy = textOf(data['policy'] ?? event.subject);
  const host = textOf(data['host']);
  if (principal === undefined) return 'data.principal must be a string such as spiffe://mesh.example.com/ns/web/sa/web-frontend';
  if (policy === undefined) return "data.policy must be a string: the verdict's or the policy's name";
  if (host === undefined) return 'data.host must be a string such as reviews.bookinfo.svc.cluster.local';
  return { ...counts, principal, policy, host };
}

/** Checksum of all that an event says: the same id with another one is a conflict. `callerSum`: callerChecksum of its caller. */
export function contentOf({ time, quantity, requestBytes, responseBytes, kind }: Counts, callerSum: number): number {
  let sum = mixed(callerSum, kind);
  for (const count of [time, quantity, requestBytes, responseBytes]) sum = mixed(mixed(sum, count | 0), Math.floor(count / 2 ** 32));
  return sum;
}
export const callerChecksum = (principal: string, policy: string, host: string): number => crc32(`${principal}\n${policy}\n${host}`) | 0;
/** A step of MurmurHash3 (32 bits): different for every `next`. */
function mixed(sum: number, next: number): number {
  const scrambled = Math.imul(rotated(Math.imul(next, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotated(sum ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}
const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

const textOf = (value: Json | undefined): string | undefined => {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : undefined;
};
const isCount = (value: Json | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
