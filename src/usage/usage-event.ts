import { createHash } from 'node:crypto';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../kernel/json.ts';
import type { IncomingEvent } from './usage-port.ts';

/** CloudEvents types that are understood (docs/usage.md). */
export const requestType = 'dev.meshbroker.request.v1';
export const meterType = 'dev.meshbroker.usage.v1';

/** One event, judged: what it counts and for whom it may be. */
export interface UsageEvent {
  readonly index: number;
  readonly id: string;
  readonly time: Date;
  /** 16 bytes of sha256(source, id), as a uuid. */
  readonly dedup: string;
  /** 63 bits of the content's hash: the same id with other content is a conflict. */
  readonly content: string;
  readonly meter: string;
  readonly unit: string;
  readonly quantity: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly principal: string;
  readonly host: string;
  /** `mb-…`, from the verdict or policy that let the request in; '' when it was not named. */
  readonly bindingRef: string;
}
export type Judged = { readonly ok: true; readonly event: UsageEvent } | { readonly ok: false; readonly reason: string };
export interface Acceptance {
  readonly oldest: Date;
  readonly newest: Date;
}

const meterKey = /^[a-z][a-z0-9-]{0,62}$/;
const largest = Number.MAX_SAFE_INTEGER;

/** Pure. The reason names the field and the fix. */
export function judge(event: IncomingEvent, window: Acceptance): Judged {
  const time = new Date(event.time);
  if (Number.isNaN(time.getTime())) return refuse('time: not an RFC 3339 time');
  if (time < window.oldest) return refuse(`time: older than ${window.oldest.toISOString()}, the acceptance window`);
  if (time > window.newest) return refuse('time: in the future; check the clock of the sender');
  if (!isJsonObject(event.data)) return refuse('data: must be a JSON object');
  if (event.type === requestType) return judgeRequest(event, time, event.data);
  if (event.type === meterType) return judgeMeter(event, time, event.data);
  return refuse(`type: "${event.type}" is not known; send ${requestType} or ${meterType}`);
}
const refuse = (reason: string): Judged => ({ ok: false, reason });

function judgeRequest(event: IncomingEvent, time: Date, data: JsonObject): Judged {
  const code = data['code'];
  if (typeof code !== 'number' || !Number.isInteger(code) || code < 0 || code > 599)
    return refuse('data.code: must be an HTTP status, 0 when there was none');
  const [requestBytes, responseBytes] = [countOf(data['request_bytes']), countOf(data['response_bytes'])];
  if (requestBytes === undefined) return refuse('data.request_bytes: must be a whole number of bytes, at least 0');
  if (responseBytes === undefined) return refuse('data.response_bytes: must be a whole number of bytes, at least 0');
  const host = textOf(data['host']);
  if (host === '') return refuse('data.host: name the host that was called');
  const meter = code === 403 ? 'denied-requests' : code === 429 ? 'limited-requests' : 'requests';
  return judged(event, time, data, { meter, unit: 'request', quantity: 1, requestBytes, responseBytes, host: withoutPort(host) });
}
function judgeMeter(event: IncomingEvent, time: Date, data: JsonObject): Judged {
  const [meter, unit, quantity] = [textOf(data['meter']), textOf(data['unit']), countOf(data['quantity'])];
  if (!meterKey.test(meter)) return refuse('data.meter: 1 to 63 of a-z, 0-9 and "-", a letter first');
  if (quantity === undefined) return refuse('data.quantity: must be a whole number, at least 0, in the smallest unit');
  return judged(event, time, data, { meter, unit, quantity, requestBytes: 0, responseBytes: 0, host: withoutPort(textOf(data['host'])) });
}
type Counts = Pick<UsageEvent, 'meter' | 'unit' | 'quantity' | 'requestBytes' | 'responseBytes' | 'host'>;
function judged({ index, id, source, type }: IncomingEvent, time: Date, data: JsonObject, counts: Counts): Judged {
  const dedup = createHash('sha256').update(source).update('\0').update(id).digest('hex').slice(0, 32);
  const content =
    createHash('sha256')
      .update(`${type}\n${time.toISOString()}\n${canonicalJson(data)}`)
      .digest()
      .readBigUInt64BE() >> 1n;
  const principal = textOf(data['principal']);
  return {
    ok: true,
    event: { index, id, time, dedup, content: String(content), principal, bindingRef: referenceIn(textOf(data['policy'])), ...counts },
  };
}

/** `mb-….1a2b3c4d` (verdict) and `ns[shop]-policy[mb-…]-rule[0]` (authorization policy) name the binding. */
export const referenceIn = (policy: string): string => /\bmb-[a-z2-7]{20}(?![a-z0-9-])/.exec(policy)?.[0] ?? '';
export const withoutPort = (host: string): string => host.replace(/:\d+$/, '');
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value.slice(0, 2_048) : '');
const countOf = (value: Json | undefined): number | undefined => {
  if (value === undefined || value === null) return 0;
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largest ? value : undefined;
};
