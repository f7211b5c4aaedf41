import { describe, expect, test } from 'vitest';
import { decodeBatch, decodeBinary, decodeStructured } from './cloud-events.ts';

const good = {
  specversion: '1.0',
  id: '1',
  source: '/mesh',
  type: 'dev.meshbroker.request',
  time: '2026-11-01T00:00:00Z',
  data: { count: 1 },
};
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('CloudEvents', () => {
  test('are taken in structured, batch and binary content mode alike', () => {
    const expected = {
      index: 0,
      id: '1',
      source: '/mesh',
      type: 'dev.meshbroker.request',
      time: '2026-11-01T00:00:00Z',
      subject: null,
      data: { count: 1 },
    };
    const headers: Record<string, string> = {
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/mesh',
      'ce-type': good.type,
      'ce-time': good.time,
    };
    const raw = { ...good, data: { count: 1 } };
    expect(decodeStructured(bytes(good)).events).toEqual([{ ...expected, raw }]);
    expect(decodeBatch(bytes([good])).events).toEqual([{ ...expected, raw }]);
    expect(decodeBinary((name) => headers[name], bytes(good.data)).events).toEqual([{ ...expected, raw }]);
  });
  test('in binary content mode have percent-encoded attributes', () => {
    const headers: Record<string, string> = {
      'ce-specversion': '1.0',
      'ce-id': 'Euro%20%E2%82%AC',
      'ce-source': '/',
      'ce-type': 't',
      'ce-time': 'now',
    };
    expect(decodeBinary((name) => headers[name], Buffer.alloc(0)).events[0]).toMatchObject({ id: 'Euro €', data: null });
    expect(() => decodeBinary(() => '%zz', Buffer.alloc(0))).toThrow(/^ce-specversion \(header\)/);
  });
  test('that are none are named with their place and reason while the others are taken', () => {
    const batch = [
      good,
      { ...good, specversion: '0.3' },
      7,
      { ...good, id: '' },
      { ...good, time: undefined },
      { ...good, source: 'x'.repeat(1_025) },
      { ...good, data_base64: 'AA==' },
    ];
    const { events, refused } = decodeBatch(bytes(batch));
    expect(events.map(({ index }) => index)).toEqual([0]);
    expect(refused.map(({ raw }) => raw)).toEqual((JSON.parse(JSON.stringify(batch)) as unknown[]).slice(1));
    expect(refused.map(({ index, id, reason }) => ({ index, id, reason }))).toEqual([
      { index: 1, id: '1', reason: 'specversion must be "1.0"' },
      { index: 2, id: '', reason: 'an event must be an object' },
      { index: 3, id: '', reason: 'id must be a non-empty string' },
      { index: 4, id: '1', reason: 'time must be a non-empty string' },
      { index: 5, id: '1', reason: 'source is longer than 1024 bytes' },
      { index: 6, id: '1', reason: 'data_base64 is not taken: send JSON as data' },
    ]);
  });
  test('are refused as a whole when the batch is no array or too long', () => {
    expect(() => decodeBatch(bytes(good))).toThrow('the body must be an array of events');
    expect(() => decodeBatch(bytes(Array.from({ length: 10_001 }, () => 0)))).toThrow(/10001 events: send at most 10000/);
  });
});
