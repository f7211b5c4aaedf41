import { describe, expect, test } from 'vitest';
import type { Json } from '../kernel/json.ts';
import { callerChecksum, contentOf, judge, quantityType, requestType } from './usage-event.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const window = { now, pastDays: 35, futureSeconds: 300 };
const event = (data: Json, changes: { type?: string; time?: string; subject?: string; id?: string } = {}) => ({
  index: 0,
  id: 'e-1',
  source: 'urn:test',
  type: requestType,
  time: '2026-11-24T11:59:59.250Z',
  subject: null,
  data,
  ...changes,
});
const request = { principal: 'spiffe://mesh.example.com/ns/web/sa/web', host: 'reviews', code: 200, request_bytes: 3, response_bytes: 40 };
const judged = (...args: Parameters<typeof event>) => judge(event(...args), window);

describe('an event of a request', () => {
  test('counts one request and its bytes', () => {
    expect(judged(request)).toMatchObject({
      time: Date.parse('2026-11-24T11:59:59.250Z'),
      meter: 'requests',
      quantity: 1,
      requestBytes: 3,
      responseBytes: 40,
      principal: request.principal,
      policy: '',
      host: 'reviews',
    });
  });
  test.each<[string, Json, string]>([
    ['refused by the mesh', { code: 403 }, 'denied-requests'],
    ['refused, and who refused is not known', { code: 403, answered_by: 'mesh' }, 'denied-requests'],
    ['limited', { code: 429 }, 'limited-requests'],
    ["answered with the service's own 403", { code: 403, answered_by: 'service' }, 'requests'],
    ["answered with the service's own 429", { code: 429, answered_by: 'service' }, 'requests'],
    ['that failed', { code: 503, answered_by: 'mesh' }, 'requests'],
    ['of TCP', { code: 0, protocol: 'TCP' }, 'connections'],
    ['of TCP that was refused', { code: 0, protocol: 'TCP', answered_by: 'mesh' }, 'denied-connections'],
  ])('%s counts apart', (_, data, meter) => {
    expect(judged({ ...request, ...(data as object) })).toMatchObject({ meter, quantity: 1 });
  });
  test('names the binding by its policy, else by its subject', () => {
    expect(judged({ ...request, policy: 'mb-aaaaaaaaaaaaaaaaaaaa.gold' }, { subject: 'other' })).toMatchObject({
      policy: 'mb-aaaaaaaaaaaaaaaaaaaa.gold',
    });
    expect(judged(request, { subject: 'mb-aaaaaaaaaaaaaaaaaaaa' })).toMatchObject({ policy: 'mb-aaaaaaaaaaaaaaaaaaaa' });
  });
  test('may leave out everything but the code', () => {
    expect(judged({ code: 200 })).toMatchObject({ requestBytes: 0, responseBytes: 0, principal: '', host: '' });
  });
});

describe('an event of a quantity', () => {
  test('counts whole base units of any meter', () => {
    expect(judged({ meter: 'tokens', unit: 'token', quantity: 1_500 }, { type: quantityType })).toMatchObject({
      meter: 'tokens',
      unit: 'token',
      quantity: 1_500,
    });
  });
});

describe('an event is rejected with the field and the fix', () => {
  test.each<[string, Parameters<typeof event>]>([
    ['time must be an RFC 3339 time', [request, { time: 'yesterday' }]],
    ['time must be an RFC 3339 time', [request, { time: '2026-02-30T00:00:00Z' }]],
    ['time is more than 35 days ago', [request, { time: '2026-10-20T11:59:59Z' }]],
    ['time is more than 300 s in the future', [request, { time: '2026-11-24T12:05:00.001Z' }]],
    ['type must be dev.meshbroker.request.v1 or dev.meshbroker.usage.v1', [request, { type: 'com.example' }]],
    ['id and source must be well-formed', [request, { id: '\ud800' }]],
    ['data must be a JSON object', [[request]]],
    ['data must be a JSON object', [null]],
    ['data.code', [{ ...request, code: '200' }]],
    ['data.code', [{ ...request, code: 600 }]],
    ['data.code', [{ ...request, code: -1 }]],
    ['data.request_bytes', [{ ...request, request_bytes: 1.5 }]],
    ['data.request_bytes', [{ ...request, request_bytes: -1 }]],
    ['data.response_bytes', [{ ...request, response_bytes: 2 ** 53 }]],
    ['data.response_bytes', [{ ...request, response_bytes: null }]],
    ['data.principal', [{ ...request, principal: 7 }]],
    ['data.policy', [{ ...request, policy: ['a'] }]],
    ['data.host', [{ ...request, host: {} }]],
    ['data.protocol', [{ ...request, protocol: 1 }]],
    ['data.answered_by', [{ ...request, answered_by: 'me' }]],
    ['data.meter', [{ meter: 'Tokens', quantity: 1 }, { type: quantityType }]],
    ['data.meter: instance-hours is counted by the broker itself', [{ meter: 'instance-hours', quantity: 1 }, { type: quantityType }]],
    ['data.quantity', [{ meter: 'tokens', quantity: '1' }, { type: quantityType }]],
    ['data.unit', [{ meter: 'tokens', quantity: 1, unit: 'US $' }, { type: quantityType }]],
  ])('%s', (reason, args) => {
    expect(judged(...args)).toMatch(new RegExp(`^${reason.replaceAll('.', '[.]')}`));
  });
});

test('the checksum of the content tells the same event from another one with its id', () => {
  const content = (...args: Parameters<typeof event>): unknown => {
    const result = judged(...args);
    return typeof result === 'string' ? result : contentOf(result, callerChecksum(result.principal, result.policy, result.host));
  };
  const same = content(request);
  expect(content({ ...request }, { time: '2026-11-24T12:59:59.25+01:00' })).toBe(same);
  const others = [
    { ...request, code: 201 },
    { ...request, request_bytes: 4 },
    { ...request, response_bytes: 41 },
    { ...request, response_bytes: 40 + 2 ** 32 },
    { ...request, answered_by: 'mesh' },
    { ...request, protocol: 'TCP' },
    { ...request, host: 'ratings' },
    { ...request, principal: 'spiffe://x/y' },
    { ...request, policy: 'p' },
  ];
  expect(new Set([same, ...others.map((data) => content(data))]).size).toBe(10);
});
