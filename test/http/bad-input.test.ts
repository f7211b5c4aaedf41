import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDoor } from '../support/door.ts';
import { rawRequest } from '../support/raw-http.ts';

let door: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => void (door = await openDoor()));
afterAll(async () => {
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(door.lines.filter(({ status }) => Number(status) >= 500)).toEqual([]);
  await door.close();
});
const provision = (body: string | Buffer, headers: Record<string, string> = {}) =>
  door.send('/v2/service_instances/i', {
    method: 'PUT',
    as: door.as.cf,
    headers: { 'x-broker-api-version': '2.17', 'content-type': 'application/json', ...headers },
    body,
  });
const rest = '"plan_id":"p","organization_guid":"o","space_guid":"s"';
const order = `{"service_id":"s",${rest}}`;
const withParameters = (parameters: string): string => `{"service_id":"s",${rest},"parameters":${parameters}}`;

describe('a body', () => {
  test.each<[string, number, RegExp, string | Buffer, Record<string, string>]>([
    ['half a document', 400, /not JSON/, '{', {}],
    ['an array', 400, /the body must be an object/, '[]', {}],
    ['a string', 400, /the body must be an object/, '"x"', {}],
    ['null', 400, /the body must be an object/, 'null', {}],
    ['nothing', 400, /the body is empty/, '', {}],
    ['garbage as text', 400, /Content-Type: send application\/json/, 'garbage', { 'content-type': 'text/plain' }],
    ['garbage without a type', 400, /not JSON/, 'garbage', { 'content-type': '' }],
    ['UTF-16', 400, /charset utf-8/, '{}', { 'content-type': 'application/json; charset=utf-16' }],
    ['bytes that are not UTF-8', 400, /not UTF-8/, Buffer.from([0x7b, 0xff, 0x7d]), {}],
    ['gzip', 400, /Content-Encoding/, gzipSync('{}'), { 'content-encoding': 'gzip' }],
    ['a gzip bomb', 400, /Content-Encoding/, gzipSync(Buffer.alloc(10_000_000)), { 'content-encoding': 'gzip' }],
    ['64 KiB and one byte', 413, /larger than 65536 bytes/, `"${'x'.repeat(65_535)}"`, {}],
    ['2 MiB', 413, /larger than 65536 bytes/, `"${'x'.repeat(2 * 1024 * 1024)}"`, {}],
    ['6,000 levels', 400, /^parameters.* is nested deeper than 32 levels/, withParameters('['.repeat(6_000) + ']'.repeat(6_000)), {}],
    ['16,000 levels of objects', 400, /nested deeper/, withParameters('{"a":'.repeat(10_000)), {}],
    ['1,001 keys', 400, /1000 keys/, JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, 1]))), {}],
    ['a key twice', 400, /^service_id is there twice/, '{"service_id":"s","service_id":"t"}', {}],
    ['__proto__', 400, /^parameters\.__proto__ has a name/, withParameters('{"__proto__":{"polluted":1}}'), {}],
    [
      'constructor.prototype',
      400,
      /^parameters\.constructor has a name/,
      withParameters('{"constructor":{"prototype":{"polluted":1}}}'),
      {},
    ],
    ['NUL', 400, /^parameters\.a holds the character/, withParameters('{"a":"\\u0000"}'), {}],
    ['a lone surrogate', 400, /^parameters\.a holds half/, withParameters('{"a":"\\ud800"}'), {}],
    ['400 digits', 400, /^parameters\.a has a number of 400/, withParameters(`{"a":${'1'.repeat(400)}}`), {}],
    ['1e400', 400, /^parameters\.a has a number that is too large/, withParameters('{"a":1e400}'), {}],
    ['an array where an object belongs', 400, /^parameters \(body\) must be an object or a null$/, withParameters('[]'), {}],
    ['a number where text belongs', 400, /^service_id \(body\) must be a string$/, `{"service_id":1,${rest}}`, {}],
    ['an empty id', 400, /^service_id \(body\) must not be empty$/, `{"service_id":"",${rest}}`, {}],
    ['no id', 400, /^service_id \(body\) is missing: send it$/, `{${rest}}`, {}],
  ])('with %s is refused with %i, the field and the fix', async (_, status, description, body, headers) => {
    const answer = await provision(body, headers);
    expect(answer.status, answer.text).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()['description']).toMatch(description);
    expect(answer.text).not.toMatch(/at \w+ \(|node_modules|select |insert /i);
  });
  test('of exactly 64 KiB, without a type, or with what nobody knows is taken', async () => {
    const filler = 'x'.repeat(65_536 - Buffer.byteLength(order) - Buffer.byteLength(',"y":""'));
    expect((await provision(`${order.slice(0, -1)},"y":"${filler}"}`)).status).toBe(200);
    const bare = await rawRequest(door.port, request('PUT', '/v2/service_instances/i', [`Content-Length: ${order.length}`], order));
    expect(bare.status, bare.text).toBe(200);
    expect((await provision(`${order.slice(0, -1)},"x_foo":{"deep":[1,{"y":null}]}}`)).status).toBe(200);
  });
});

const request = (method: string, target: string, headers: readonly string[] = [], body = ''): string =>
  [`${method} ${target} HTTP/1.1`, 'Host: broker', `Authorization: ${door.as.cf}`, 'X-Broker-API-Version: 2.17', ...headers, '', body].join(
    '\r\n',
  );
const get = (target: string, headers: readonly string[] = []): string => request('GET', target, headers);

describe('a request that two parties may read differently', () => {
  const json = (answer: { readonly text: string }): Record<string, unknown> =>
    JSON.parse(answer.text.split('\r\n\r\n')[1] ?? '') as Record<string, unknown>;
  test.each<[string, () => string]>([
    ['%zz in the path', () => get('/v2/service_instances/%zz')],
    ['% at the end of the path', () => get('/v2/service_instances/a%')],
    ['%00 in the path', () => get('/v2/service_instances/a%00b')],
    ['bytes in the path that are not UTF-8', () => get('/v2/service_instances/%ff')],
    ['an overlong encoding in the path', () => get('/v2/service_instances/%c0%af')],
    ['a surrogate in the path', () => get('/v2/service_instances/%ed%a0%80')],
    ['an id of 1,025 bytes', () => get(`/v2/service_instances/${'x'.repeat(1_025)}`)],
    ['two Host headers', () => get('/v2/catalog', ['Host: other'])],
    ['an unknown transfer coding', () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: xchunked'])],
    ['the absolute form', () => get('http://broker/v2/catalog')],
    ['the asterisk form', () => request('OPTIONS', '*')],
    ['raw bytes in the path', () => get('/v2/service_instances/\u00fc')],
    ['a fragment', () => get('/v2/catalog#x')],
  ])('because of %s is refused with 400 and a description', async (_, text) => {
    const answer = await rawRequest(door.port, Buffer.from(text(), 'latin1'));
    expect(answer.status, answer.text).toBe(400);
    if (answer.text.includes('\r\n\r\n{'))
      expect(Object.keys(json(answer)).some((key) => key === 'description' || key === 'detail')).toBe(true);
    expect((await rawRequest(door.port, get('/v2/catalog'))).status).toBe(200);
  });
  test('because of 65 headers is refused with 431', async () => {
    const many = Array.from({ length: 65 }, (_, index) => `X-${index}: 1`);
    expect((await rawRequest(door.port, get('/v2/catalog', many))).status).toBe(431);
    expect(
      (
        await rawRequest(
          door.port,
          get(
            '/v2/catalog',
            Array.from({ length: 2_500 }, (_, index) => `X-${index}: 1`),
          ),
        )
      ).status,
    ).toBe(431);
  });

  const smuggled = 'GET /v2/service_instances/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  test.each<[string, () => string]>([
    [
      'length and chunks',
      () => request('PUT', '/v2/service_instances/i', ['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
    ],
    [
      'chunks and length',
      () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${smuggled}`),
    ],
    ['two lengths', () => request('PUT', '/v2/service_instances/i', ['Content-Length: 5', 'Content-Length: 6'], 'abcdef')],
    ['a length with a sign', () => request('PUT', '/v2/service_instances/i', ['Content-Length: +5'], 'abcde')],
    ['a length in hexadecimal', () => request('PUT', '/v2/service_instances/i', ['Content-Length: 0x5'], 'abcde')],
    ['a list of lengths', () => request('PUT', '/v2/service_instances/i', ['Content-Length: 5, 5'], 'abcde')],
    ['a negative length', () => request('PUT', '/v2/service_instances/i', ['Content-Length: -1'])],
    ['chunked twice', () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n')],
    ['gzip, chunked', () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n')],
    ['chunked, identity', () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n')],
    [
      'two transfer codings',
      () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], '0\r\n\r\n'),
    ],
    ['a space before the colon', () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding : chunked'], '0\r\n\r\n')],
    [
      'a chunk size that is none',
      () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked'], 'xyz\r\nabc\r\n0\r\n\r\n'),
    ],
    ['a negative chunk size', () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked'], '-1\r\nabc\r\n0\r\n\r\n')],
    [
      'a chunk longer than it says',
      () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked'], '2\r\nabcdef\r\n0\r\n\r\n'),
    ],
    [
      'a chunk extension of 20 K',
      () => request('PUT', '/v2/service_instances/i', ['Transfer-Encoding: chunked'], `1;${'x'.repeat(20_000)}\r\na\r\n0\r\n\r\n`),
    ],
    ['a folded header', () => get('/v2/catalog', ['X-Folded: a', ' b'])],
    ['a header without a name', () => get('/v2/catalog', [': x'])],
    ['a header name with a space', () => get('/v2/catalog', ['X Y: x'])],
    ['NUL in a header', () => get('/v2/catalog', ['X-Nul: a\0b'])],
    ['a bare CR in a header', () => get('/v2/catalog', ['X-Cr: a\rb'])],
    ['a header of 20 K', () => get('/v2/catalog', [`X-Long: ${'x'.repeat(20_000)}`])],
    ['a path of 20 K', () => get(`/v2/service_instances/${'x'.repeat(20_000)}`)],
    ['no Host', () => get('/v2/catalog').replace('Host: broker\r\n', '')],
    ['HTTP/0.9', () => 'GET /v2/catalog\r\n\r\n'],
    ['HTTP/3.0 in words', () => get('/v2/catalog').replace('HTTP/1.1', 'HTTP/3.0')],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS hello', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'x'.repeat(64)],
    ['an unknown method', () => request('BREW', '/v2/catalog')],
    ['a method in lower case', () => request('get', '/v2/catalog')],
    ['CONNECT', () => request('CONNECT', 'example.org:443')],
    ['a tab', () => get('/v2/catalog').replace('GET /', 'GET\t/')],
    ['a vertical tab in the target', () => get('/v2/cata\x0blog')],
    ['nothing but noise', () => '\0\0\0\0\r\n\r\n'],
    ['an unknown expectation', () => get('/v2/catalog', ['Expect: everything'])],
  ])('because of %s is refused or cut off, and the next one is served at once', async (_, text) => {
    const answer = await rawRequest(door.port, Buffer.from(text(), 'latin1'), 300);
    if (answer.status !== null) expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
    expect(answer.text).not.toContain('smuggled');
    if (answer.status !== null) expect(answer.status).toBeLessThan(500);
    const started = performance.now();
    expect((await rawRequest(door.port, get('/v2/catalog'))).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('with two Authorization headers is not authenticated', async () => {
    expect((await rawRequest(door.port, get('/v2/catalog', [`Authorization: ${door.as.cf}`]))).status).toBe(401);
  });
  test('cannot inject a header or a line into the log', async () => {
    const answer = await rawRequest(door.port, get('/v2/catalog', ['X-Broker-API-Request-Identity: a\x1b[31mb']));
    expect(answer.text).not.toContain('\x1b');
    const folded = await rawRequest(door.port, get('/v2/catalog', ['X-Request-Id: a b; c\u00e9']));
    expect(folded.text).toMatch(/X-Request-Id: [0-9a-f-]{36}\r\n/);
  });
});
