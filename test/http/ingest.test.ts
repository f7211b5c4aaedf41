import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDoor } from '../support/door.ts';

let door: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => void (door = await openDoor()));
afterAll(() => door.close());

const event = (id: number) => ({
  specversion: '1.0',
  id: String(id),
  source: '/mesh/web',
  type: 'dev.meshbroker.request',
  time: '2026-11-01T00:00:00Z',
  subject: 'x',
  data: { bytes: id },
});
const post = (type: string, body: string | Buffer, headers: Record<string, string> = {}, as = door.as.collector) =>
  door.send('/v1/usage/events', { method: 'POST', as, headers: { 'content-type': type, ...headers }, body });
const structured = 'application/cloudevents+json';
const batch = 'application/cloudevents-batch+json';

describe('usage ingestion', () => {
  test('takes one event', async () => {
    const answer = await post(structured, JSON.stringify(event(1)));
    expect(answer.json()).toEqual({ accepted: 1, duplicate: 0, conflict: 0, rejected: 0, events: [] });
    expect(door.ingested.at(-1)).toMatchObject({
      collector: 'collector:gateway',
      events: [{ index: 0, id: '1', source: '/mesh/web', data: { bytes: 1 } }],
    });
  });
  test('takes an event whose attributes are headers', async () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'a%20b', 'ce-source': '/mesh', 'ce-type': 't', 'ce-time': '2026-11-01T00:00:00Z' };
    expect((await post('application/json', '{"bytes":5}', headers)).status).toBe(200);
    expect(door.ingested.at(-1)?.events[0]).toMatchObject({ id: 'a b', data: { bytes: 5 }, subject: null });
  });
  test('takes a batch of 10,000 events, compressed, and names each that is none', async () => {
    const events = Array.from({ length: 10_000 }, (_, index) => (index === 5_000 ? { id: 'half' } : event(index)));
    const answer = await post(batch, gzipSync(JSON.stringify(events)), { 'content-encoding': 'gzip' });
    expect(answer.json()).toMatchObject({
      accepted: 9_999,
      rejected: 1,
      events: [{ index: 5_000, id: 'half', result: 'rejected', reason: 'specversion must be "1.0"' }],
    });
  });
  test('takes an empty batch', async () => {
    expect((await post(batch, '[]')).json()).toMatchObject({ accepted: 0 });
  });
  test.each<[string, number, string, string | Buffer, Record<string, string>]>([
    ['10,001 events', 413, batch, JSON.stringify(Array.from({ length: 10_001 }, () => 0)), {}],
    ['an object as batch', 400, batch, '{}', {}],
    ['more than 8 MiB', 413, batch, `["${'x'.repeat(8 * 1024 * 1024)}"]`, {}],
    ['a gzip bomb', 413, batch, gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)), { 'content-encoding': 'gzip' }],
    ['broken gzip', 400, batch, 'not gzip', { 'content-encoding': 'gzip' }],
    ['brotli', 415, batch, '[]', { 'content-encoding': 'br' }],
    ['plain JSON without the headers of an event', 415, 'application/json', '{}', {}],
    ['text', 415, 'text/plain', 'hello', {}],
    ['another charset', 415, 'application/cloudevents+json; charset=utf-16', '{}', {}],
    ['nothing', 400, structured, '', {}],
    ['half a document', 400, structured, '{', {}],
    ['deep data', 400, structured, `{"data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, {}],
  ])('refuses %s with %i', async (_, status, type, body, headers) => {
    const answer = await post(type, body, headers);
    expect(answer.status).toBe(status);
    const titles: Readonly<Record<number, string>> = { 400: 'Bad request', 413: 'Too large', 415: 'Unsupported media type' };
    expect(answer.json()).toMatchObject({ status, title: titles[status] });
    expect(String(answer.json()['detail'])).not.toBe('');
  });
  test('is for collectors and admins', async () => {
    expect((await post(structured, JSON.stringify(event(1)), {}, door.as.admin)).status).toBe(200);
    expect((await post(structured, JSON.stringify(event(1)), {}, door.as.cf)).status).toBe(403);
    const asked = await door.send('/v1/usage/events', { as: door.as.collector });
    expect(asked.status).toBe(405);
    expect(asked.headers['allow']).toBe('POST');
  });
});
