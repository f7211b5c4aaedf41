import { BrokerError } from '../../kernel/errors.ts';
import type { Json, JsonObject } from '../../kernel/json.ts';
import { isJsonObject } from '../../kernel/json.ts';
import type { IncomingEvent, RefusedEvent } from '../../usage/usage-port.ts';
import { batchBody, parseJson, smallBody } from '../json-guard.ts';

/** What a request carried: events that can be judged, and those that are no CloudEvents at all. */
export interface DecodedEvents {
  readonly events: readonly IncomingEvent[];
  readonly refused: readonly RefusedEvent[];
}
export const longestBatch = 10_000;

const required = ['id', 'source', 'type', 'time'] as const;
/** Bytes of id, source, type, time and subject each; longer ones cannot be indexed. */
const longestAttribute = 1_024;

/** `application/cloudevents+json`. */
export const decodeStructured = (bytes: Uint8Array): DecodedEvents => decodeAll([parseJson(bytes, smallBody)]);

/** `application/cloudevents-batch+json`. bad-request when it is not an array, or a longer one than is taken. */
export function decodeBatch(bytes: Uint8Array): DecodedEvents {
  const batch = parseJson(bytes, batchBody);
  if (!Array.isArray(batch)) throw new BrokerError('bad-request', 'the body must be an array of events');
  const values = batch as readonly Json[];
  if (values.length > longestBatch)
    throw new BrokerError('too-large', `the batch has ${values.length} events: send at most ${longestBatch} at once`);
  return decodeAll(values);
}

/** Binary content mode: attributes are the `ce-` headers, percent-decoded; the body is the data. */
export function decodeBinary(header: (name: string) => string | undefined, bytes: Uint8Array): DecodedEvents {
  const attributes: Record<string, Json> = {};
  for (const name of ['specversion', ...required, 'subject']) {
    const value = header(`ce-${name}`);
    if (value !== undefined) attributes[name] = percentDecode(`ce-${name}`, value);
  }
  return decodeAll([{ ...attributes, data: bytes.byteLength === 0 ? null : parseJson(bytes, smallBody) }]);
}

function percentDecode(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new BrokerError('bad-request', `${name} (header) is not percent-encoded UTF-8: encode it again`, { field: name });
  }
}

function decodeAll(values: readonly Json[]): DecodedEvents {
  const events: IncomingEvent[] = [];
  const refused: RefusedEvent[] = [];
  values.forEach((value, index) => {
    const reason = whyNotAnEvent(value);
    if (reason === undefined) events.push(toEvent(value as JsonObject, index));
    else refused.push({ index, id: idOf(value), reason, raw: value });
  });
  return { events, refused };
}

function whyNotAnEvent(value: Json): string | undefined {
  if (!isJsonObject(value)) return 'an event must be an object';
  if (value['specversion'] !== '1.0') return 'specversion must be "1.0"';
  const { id, source, type, time } = value;
  const reason = whyNotText('id', id) ?? whyNotText('source', source) ?? whyNotText('type', type) ?? whyNotText('time', time);
  if (reason !== undefined) return reason;
  const subject = value['subject'] ?? null;
  if (subject !== null && (typeof subject !== 'string' || isTooLong(subject)))
    return `subject must be a string of at most ${longestAttribute} bytes`;
  if (value['data_base64'] !== undefined) return 'data_base64 is not taken: send JSON as data';
  return undefined;
}
function whyNotText(name: (typeof required)[number], value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || value === '') return `${name} must be a non-empty string`;
  return isTooLong(value) ? `${name} is longer than ${longestAttribute} bytes` : undefined;
}
/** Counts bytes only where it could matter: a code unit takes at most three. */
const isTooLong = (value: string): boolean => value.length * 3 > longestAttribute && Buffer.byteLength(value) > longestAttribute;
const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const idOf = (value: Json): string => (isJsonObject(value) ? text(value['id']).slice(0, 255) : '');

function toEvent(value: JsonObject, index: number): IncomingEvent {
  const subject = value['subject'];
  return {
    index,
    id: text(value['id']),
    source: text(value['source']),
    type: text(value['type']),
    time: text(value['time']),
    subject: typeof subject === 'string' ? subject : null,
    data: value['data'] ?? null,
    raw: value,
  };
}
