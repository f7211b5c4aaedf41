import 'reflect-metadata';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMetricsServer } from '../../src/api/metrics-server.ts';
import { defaultHttpSettings } from '../../src/api/server.ts';
import { catalogBody, openDoor } from '../support/door.ts';
import { basic } from '../support/memory-access.ts';
import { rawRequest, trickle } from '../support/raw-http.ts';

let door: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => void (door = await openDoor()));
afterAll(() => door.close());
const v2 = { 'x-broker-api-version': '2.17' };
const catalog = (headers: Record<string, string> = {}, method = 'GET') =>
  door.send('/v2/catalog', { method, as: door.as.cf, headers: { ...v2, ...headers } });
const order = { service_id: 's', plan_id: 'p', organization_guid: 'o', space_guid: 'sp' };
const instance = (id: string, more: Parameters<typeof door.send>[1] = {}) =>
  door.send(`/v2/service_instances/${id}`, { as: door.as.cf, headers: v2, ...more });

describe('the catalogue', () => {
  test('comes with an ETag of its own for each version and encoding', async () => {
    const plain = await catalog({ 'accept-encoding': 'identity' });
    expect(plain).toMatchObject({ status: 200, text: catalogBody.toString() });
    for (const [accept, encoding] of [
      ['br', 'br'],
      ['gzip, br;q=0.5', undefined],
      ['gzip', undefined],
      ['*', 'br'],
      ['br;q=0', undefined],
      ['identity, br;q=0.1', undefined],
      ['bogus;q=x', undefined],
    ] as const) {
      const { status, headers, text } = await catalog({ 'accept-encoding': accept });
      expect([accept, status, headers['content-encoding'], headers['etag'], text]).toEqual([
        accept,
        200,
        encoding,
        encoding === undefined ? '"v1-17"' : '"v1-17-br"',
        catalogBody.toString(),
      ]);
    }
    expect(plain.headers).toMatchObject({
      etag: '"v1-17"',
      'content-type': 'application/json',
      'cache-control': 'private, no-cache',
      'last-modified': 'Sun, 01 Nov 2026 00:00:00 GMT',
    });
    expect((await catalog({ 'x-broker-api-version': '2.13', 'accept-encoding': 'identity' })).headers['etag']).toBe('"v1-13"');
    expect((await catalog({ 'x-broker-api-version': '2.99', 'accept-encoding': 'identity' })).headers['etag']).toBe('"v1-17"');
  });
  test('is not sent again to whom has it', async () => {
    for (const header of [
      { 'if-none-match': '"v1-17"' },
      { 'if-none-match': '"other", W/"v1-17"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': 'Sun, 01 Nov 2026 00:00:00 GMT' },
    ]) {
      const answer = await catalog({ 'accept-encoding': 'identity', ...header });
      expect(answer, JSON.stringify(header)).toMatchObject({ status: 304, text: '' });
      expect(answer.headers['etag']).toBe('"v1-17"');
    }
    for (const header of [
      { 'if-none-match': '"old"' },
      { 'if-none-match': '"old"', 'if-modified-since': 'Mon, 02 Nov 2026 00:00:00 GMT' },
      { 'if-modified-since': 'Sat, 31 Oct 2026 00:00:00 GMT' },
      { 'if-modified-since': 'never' },
    ]) {
      expect((await catalog({ 'accept-encoding': 'identity', ...header })).status, JSON.stringify(header)).toBe(200);
    }
  });
  test('answers the same on the fast path and on the whole way', async () => {
    const variants: Record<string, string>[] = [
      {},
      { 'accept-encoding': 'identity' },
      { 'if-none-match': '*' },
      { 'x-broker-api-request-identity': 'a b' },
      { 'accept-encoding': 'gzip' },
      { 'x-request-id': 'r-1' },
    ];
    for (const variant of variants) {
      door.changes.changed();
      const whole = await catalog(variant);
      const fast = await catalog(variant);
      const comparable = ({ status, headers, text }: typeof fast) => ({
        status,
        text,
        headers: { ...headers, date: '', 'x-request-id': '' },
      });
      expect(comparable(fast), JSON.stringify(variant)).toEqual(comparable(whole));
    }
  });
  test('refuses on the fast path what the whole way refuses', async () => {
    await catalog();
    expect((await catalog({ 'x-broker-api-version': '1.0' })).status).toBe(412);
    expect((await door.send('/v2/catalog', { as: door.as.cf })).status).toBe(412);
    expect((await catalog({ authorization: 'Basic !!!' })).status).toBe(401);
  });
});

describe('every answer', () => {
  test.each<[string, () => Promise<{ status: number; headers: Record<string, unknown> }>]>([
    ['200', () => catalog({ 'x-broker-api-request-identity': 'id-1' })],
    ['304', () => catalog({ 'x-broker-api-request-identity': 'id-1', 'if-none-match': '*' })],
    ['400', () => instance('i', { method: 'PUT', body: '{', headers: { ...v2, 'x-broker-api-request-identity': 'id-1' } })],
    ['401', () => door.send('/v2/catalog', { headers: { 'x-broker-api-request-identity': 'id-1' } })],
    ['404', () => door.send('/v2/nope', { as: door.as.cf, headers: { 'x-broker-api-request-identity': 'id-1' } })],
    ['405', () => catalog({ 'x-broker-api-request-identity': 'id-1' }, 'POST')],
    ['412', () => catalog({ 'x-broker-api-request-identity': 'id-1', 'x-broker-api-version': '3.0' })],
  ])('of status %s echoes the request identity and has a request id', async (status, send) => {
    const answer = await send();
    expect(answer.status).toBe(Number(status));
    expect(answer.headers).toMatchObject({
      'x-broker-api-request-identity': 'id-1',
      'x-request-id': 'id-1',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });
  test('echoes no empty identity', async () => {
    expect((await catalog({ 'x-broker-api-request-identity': '' })).headers).not.toHaveProperty('x-broker-api-request-identity');
  });
  test('is one line in the log, without the credentials', async () => {
    door.lines.length = 0;
    await instance('i-1', { method: 'PUT', body: order, headers: { ...v2, 'x-request-id': 'my-request' } });
    const lines = door.lines.filter(({ message }) => message === 'request');
    expect(lines).toEqual([
      expect.objectContaining({
        requestId: 'my-request',
        operation: 'serviceInstance.provision',
        platform: 'cf',
        method: 'PUT',
        status: 200,
        ms: expect.any(Number) as number,
      }),
    ]);
    expect(JSON.stringify(door.lines)).not.toContain(door.cf.password);
  });
  test('may not be cached unless it says so', async () => {
    expect((await instance('i')).headers['cache-control']).toBe('no-store');
    expect((await instance('i')).headers).not.toHaveProperty('etag');
  });
});

describe('routing', () => {
  test('knows 404 and 405 in the words of each contract', async () => {
    expect((await door.send('/v2/nope', { as: door.as.cf })).json()).toMatchObject({
      description: expect.stringContaining('/v2/nope') as string,
    });
    const post = await catalog({}, 'POST');
    expect(post.status).toBe(405);
    expect(post.headers['allow']).toBe('GET, HEAD');
    expect(post.json()).toMatchObject({ error: 'MethodNotAllowed' });
    expect((await door.send('/v1/nope', { as: door.as.admin })).json()).toMatchObject({ status: 404 });
    expect((await door.send('/v1/platforms', { method: 'DELETE', as: door.as.admin })).headers['allow']).toBe('GET, POST, HEAD');
    expect((await door.send('/v2/service_instances/', { method: 'PUT', as: door.as.cf, headers: v2 })).status).toBe(404);
    expect((await door.send('/V2/catalog', { as: door.as.cf })).status).toBe(404);
    expect((await catalog({}, 'OPTIONS')).status).toBe(405);
  });
  test.each([
    'a%2Fb%20%C3%BC',
    'a b',
    'ü',
    "!$&'()*+,;=:@~.-_",
    '..',
    '.',
    '%25',
    '%F0%9F%98%80',
    'x'.repeat(255),
    encodeURIComponent('{"a":["<b>"]}\\\t\n'),
    '__proto__',
    'constructor',
    '%3F%23',
  ])('takes the id %s as it is', async (id) => {
    const answer = await rawRequest(
      door.port,
      `GET /v2/service_instances/${encodeURI(decodeURI(id)).replaceAll('%252F', '%2F')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${door.as.cf}\r\nX-Broker-API-Version: 2.17\r\n\r\n`,
    );
    expect(answer.status, answer.text).toBe(200);
  });
  test('decodes an id once', async () => {
    expect((await instance('a%2Fb%20%C3%BC')).json()).toMatchObject({ path: { instance_id: 'a/b ü' } });
    expect((await instance('a%252Fb')).json()).toMatchObject({ path: { instance_id: 'a%2Fb' } });
  });
  test('ignores query parameters that the document does not know and coerces those that it does', async () => {
    const answer = await door.send('/v2/service_instances/i?foo=1&accepts_incomplete=true', {
      method: 'PUT',
      as: door.as.cf,
      headers: v2,
      body: { ...order, unknown: 1 },
    });
    expect(answer.json()).toMatchObject({ query: { accepts_incomplete: 'true' }, body: { ...order, unknown: 1 } });
    expect(
      (
        await door.send('/v2/service_instances/i?accepts_incomplete=banana', {
          method: 'PUT',
          as: door.as.cf,
          headers: v2,
          body: order,
        })
      ).status,
    ).toBe(400);
  });
});

describe('slow clients', () => {
  test('that trickle their headers are cut within 15 s and delay nobody meanwhile', async () => {
    const started = performance.now();
    const slow = Array.from({ length: 200 }, () => trickle(door.port));
    const delays: number[] = [];
    for (let times = 0; times < 20; times += 1) {
      const asked = performance.now();
      expect((await catalog()).status).toBe(200);
      delays.push(performance.now() - asked);
    }
    await Promise.all(slow);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(delays.sort((a, b) => a - b)[10]).toBeLessThan(100);
  });
  test('that send no body are cut, and no more than 2,000 are let in', () => {
    expect(door.server).toMatchObject({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 5_000,
      maxHeadersCount: 65,
      maxConnections: 2_000,
    });
  });
});

describe('listeners', () => {
  test('speak TLS where a certificate is set, and say so to browsers', async () => {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=localhost',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
    const cert = certificate.toString('pem');
    const secure = await openDoor(() => ({ settings: { ...defaultHttpSettings, tls: { cert, key } } }));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ port: secure.port, host: '127.0.0.1', path: '/livez', ca: cert, checkServerIdentity: () => undefined }, resolve).on(
        'error',
        reject,
      );
    });
    answer.resume();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d+/);
    await secure.close();
  });
  test('for metrics alone need no credentials and serve nothing else', async () => {
    const metrics = createMetricsServer({
      metrics: { request: () => undefined, expose: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }) },
      readiness: { check: () => Promise.resolve({ ready: false, checks: [{ name: 'database', ok: false, reasons: ['away'] }] }) },
    });
    await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(metrics.address() as AddressInfo).port}`;
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('up 1\n');
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/v1/platforms`)).status).toBe(404);
    metrics.closeAllConnections();
    metrics.close();
  });
  test('behind a proxy limit failures by the address that the proxy names', async () => {
    const proxied = await openDoor(() => ({
      settings: { ...defaultHttpSettings, trustProxy: 'loopback', failureLimit: { failures: 1, windowSeconds: 60 } },
    }));
    const from = async (address: string): Promise<number> =>
      (await proxied.send('/v2/catalog', { as: basic('cf', 'wrong'), headers: { 'x-forwarded-for': address } })).status;
    expect([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([401, 429, 401]);
    await proxied.close();
  });
});
