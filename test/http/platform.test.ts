import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDoor } from '../support/door.ts';

type Door = Awaited<ReturnType<typeof openDoor>>;
let door: Door;
beforeAll(async () => void (door = await openDoor()));
afterAll(() => door.close());
const items = (answer: { json(): Record<string, unknown> }): Record<string, unknown>[] =>
  answer.json()['items'] as Record<string, unknown>[];

describe('platforms', () => {
  test('are created by an admin, with a password that works at once and is shown only then', async () => {
    const made = await door.send('/v1/platforms', {
      method: 'POST',
      as: door.as.admin,
      body: { name: 'korifi', may_bind_for: ['web', 'shop'] },
    });
    expect(made.status).toBe(201);
    const { username, password } = made.json() as { username: string; password: string };
    expect(password).toMatch(/^mbp_[A-Za-z0-9_-]{43}$/);
    const asKorifi = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    expect((await door.send('/v1/instances', { as: asKorifi })).status).toBe(200);
    const list = await door.send('/v1/platforms', { as: door.as.admin });
    expect(list.text).not.toContain(password);
    expect(items(list).find(({ name }) => name === 'korifi')).toMatchObject({ may_bind_for: ['web', 'shop'], revoked_at: null });
    expect(door.audited.at(-1)).toMatchObject({
      actor: 'admin:root',
      action: 'platform.create',
      resource: 'platform/korifi',
      outcome: 'succeeded',
    });
    expect(JSON.stringify(door.audited)).not.toContain(password);
    expect(JSON.stringify(door.lines)).not.toContain(password);
  });

  test('rotate: old and new credentials work until the overlap ends, with no overlap only the new one', async () => {
    const made = await door.send('/v1/platforms', { method: 'POST', as: door.as.admin, body: { name: 'rotating' } });
    const header = (answer: typeof made): string =>
      `Basic ${Buffer.from(`rotating:${String(answer.json()['password'])}`).toString('base64')}`;
    const second = await door.send('/v1/platforms/rotating/rotate', { method: 'POST', as: door.as.admin, body: { overlap_seconds: 60 } });
    expect(second.status).toBe(200);
    for (const as of [header(made), header(second)]) expect((await door.send('/v1/instances', { as })).status).toBe(200);
    const third = await door.send('/v1/platforms/rotating/rotate', { method: 'POST', as: door.as.admin, body: { overlap_seconds: 0 } });
    for (const as of [header(made), header(second)]) expect((await door.send('/v1/instances', { as })).status).toBe(401);
    expect((await door.send('/v1/instances', { as: header(third) })).status).toBe(200);
    expect((await door.send('/v1/platforms/rotating/rotate', { method: 'POST', as: door.as.admin })).status).toBe(200);
  });

  test('are revoked: their credentials end at once, and the name stays taken', async () => {
    const made = await door.send('/v1/platforms', { method: 'POST', as: door.as.admin, body: { name: 'leaving' } });
    const as = `Basic ${Buffer.from(`leaving:${String(made.json()['password'])}`).toString('base64')}`;
    expect((await door.send('/v1/instances', { as })).status).toBe(200);
    for (const repeat of [1, 2])
      expect((await door.send('/v1/platforms/leaving/revoke', { method: 'POST', as: door.as.admin })).status, String(repeat)).toBe(204);
    expect((await door.send('/v1/instances', { as })).status).toBe(401);
    expect((await door.send('/v1/platforms', { method: 'POST', as: door.as.admin, body: { name: 'leaving' } })).status).toBe(409);
    expect((await door.send('/v1/platforms/leaving/rotate', { method: 'POST', as: door.as.admin })).status).toBe(409);
  });

  test.each([
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  ])('are not created from a body that is sent as %o', async (headers) => {
    const answer = await door.send('/v1/platforms', { method: 'POST', as: door.as.admin, headers, body: '{"name":"other"}' });
    expect(answer.status).toBe(415);
    expect(answer.json()).toMatchObject({ title: 'Unsupported media type', status: 415 });
  });
  test('may be allowed other namespaces', async () => {
    const changed = await door.send('/v1/platforms/cf', { method: 'PATCH', as: door.as.admin, body: { may_bind_for: ['shop'] } });
    expect(changed.json()).toMatchObject({ name: 'cf', may_bind_for: ['shop'] });
  });

  test.each([
    ['a name that is no name', { name: 'Not A Name' }, /^name must have 1 to 63/],
    ['no name', {}, /^name \(body\) is missing: send it$/],
    ['an unknown field', { name: 'x', admin: true }, /remove "admin", which is not known here/],
    ['no namespace', { name: 'x', may_bind_for: ['Web'] }, /"Web" is not a Kubernetes namespace/],
    ['a list that is none', { name: 'x', may_bind_for: 'web' }, /^may_bind_for \(body\) must be an array$/],
    ['an array', [], /^the body must be an object$/],
  ])('with %s are refused with the field and the fix', async (_, body, detail) => {
    const answer = await door.send('/v1/platforms', { method: 'POST', as: door.as.admin, body });
    expect(answer.status).toBe(400);
    expect(answer.json()['detail']).toMatch(detail);
  });

  test('that do not exist are 404', async () => {
    expect((await door.send('/v1/platforms/nobody/revoke', { method: 'POST', as: door.as.admin })).status).toBe(404);
  });
});

describe('tokens', () => {
  test('of collectors are made, work for usage only, and are revoked', async () => {
    const made = await door.send('/v1/tokens', { method: 'POST', as: door.as.admin, body: { kind: 'collector', name: 'edge' } });
    const as = `Bearer ${String(made.json()['token'])}`;
    const event = { specversion: '1.0', id: '1', source: '/', type: 't', time: '2026-11-01T00:00:00Z', data: {} };
    const post = () =>
      door.send('/v1/usage/events', {
        method: 'POST',
        as,
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
      });
    expect((await post()).status).toBe(200);
    expect((await door.send('/v1/usage/report', { as })).status).toBe(403);
    expect((await door.send('/v1/tokens', { method: 'POST', as: door.as.admin, body: { kind: 'collector', name: 'edge' } })).status).toBe(
      409,
    );
    expect((await door.send('/v1/tokens', { as: door.as.admin })).text).toContain('"edge"');
    expect((await door.send('/v1/tokens/collector/edge', { method: 'DELETE', as: door.as.admin })).status).toBe(204);
    expect((await post()).status).toBe(401);
    expect((await door.send('/v1/tokens/collector/edge', { method: 'DELETE', as: door.as.admin })).status).toBe(404);
  });
});

describe('lists', () => {
  test('are read to the end by following the links', async () => {
    const seen: unknown[] = [];
    let path: string | undefined = '/v1/instances?limit=50&state=ready';
    while (path !== undefined) {
      const answer = await door.send(path, { as: door.as.admin });
      seen.push(...items(answer).map(({ ref }) => ref));
      path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1];
      expect(answer.json()['next'] === null).toBe(path === undefined);
    }
    expect(new Set(seen).size).toBe(120);
  });
  test('show a platform only what is its own', async () => {
    for (const list of ['/v1/instances', '/v1/bindings']) {
      const platforms = items(await door.send(`${list}?limit=100`, { as: door.as.cf })).map(({ platform }) => platform);
      expect(platforms).toHaveLength(60);
      expect(new Set(platforms)).toEqual(new Set(['cf']));
    }
    expect((await door.send('/v1/bindings/mb-b8', { as: door.as.cf })).status).toBe(200);
    expect((await door.send('/v1/bindings/mb-b7', { as: door.as.cf })).status).toBe(404);
    expect((await door.send('/v1/bindings/mb-b7', { as: door.as.admin })).status).toBe(200);
    expect((await door.send('/v1/bindings/mb-b7/usage', { as: door.as.cf })).status).toBe(404);
  });
  test.each([
    '/v1/instances?limit=0',
    '/v1/instances?limit=101',
    '/v1/instances?limit=many',
    '/v1/bindings?expires_before=soon',
    '/v1/operations?state=lost',
    '/v1/instances?limit=1&limit=2',
    '/v1/instances?after=%00',
  ])('refuse %s', async (path) => {
    expect((await door.send(path, { as: door.as.admin })).status).toBe(400);
  });
  test('ignore parameters that they do not know', async () => {
    expect((await door.send('/v1/instances?foo=1', { as: door.as.admin })).status).toBe(200);
  });
  test('of operations are for admins, who may run a quarantined one again', async () => {
    expect((await door.send('/v1/operations', { as: door.as.cf })).status).toBe(403);
    expect(items(await door.send('/v1/operations?state=quarantined', { as: door.as.admin })).map(({ id }) => id)).toEqual(['op-7']);
    expect((await door.send('/v1/operations/op-7/retry', { method: 'POST', as: door.as.admin })).json()).toMatchObject({
      id: 'op-7',
      state: 'pending',
    });
    expect((await door.send('/v1/operations/op-8/retry', { method: 'POST', as: door.as.admin })).status).toBe(409);
    expect((await door.send('/v1/operations/op-x/retry', { method: 'POST', as: door.as.admin })).status).toBe(404);
    expect((await door.send('/v1/guards/reviews/release', { method: 'POST', as: door.as.admin })).status).toBe(202);
  });
});

describe('the audit log', () => {
  const shown = (answer: Awaited<ReturnType<typeof door.send>>) => items(answer).map(({ id }) => Number(id));
  test('is read by admins alone, newest first or oldest first, page after page', async () => {
    for (const name of ['audited-a', 'audited-b'])
      await door.send('/v1/platforms', { method: 'POST', as: door.as.admin, body: { name, may_bind_for: ['web'] } });
    for (const as of [door.as.cf, door.as.collector]) expect((await door.send('/v1/audit', { as })).status).toBe(403);
    expect((await door.send('/v1/audit')).status).toBe(401);
    const all = await door.send('/v1/audit?limit=1000', { as: door.as.admin });
    expect(all.json()['next']).toBeNull();
    expect(shown(all)).toEqual(door.audited.map((_, index) => index + 1).toReversed());
    const seen: number[] = [];
    for (let path = '/v1/audit?order=oldest&limit=2'; path !== '';) {
      const page = await door.send(path, { as: door.as.admin });
      seen.push(...shown(page));
      path = /^<(.+)>; rel="next"$/.exec(String(page.headers['link'] ?? ''))?.[1] ?? '';
    }
    expect(seen).toEqual(shown(all).toReversed());
  });
  test('is filtered, and given as lines of JSON', async () => {
    const made = await door.send('/v1/audit?action=platform.create&outcome=succeeded&actor=admin:root&resource=platform/audited-b', {
      as: door.as.admin,
    });
    expect(items(made)).toMatchObject([
      { actor: 'admin:root', action: 'platform.create', resource: 'platform/audited-b', detail: { may_bind_for: ['web'] } },
    ]);
    const lines = await door.send('/v1/audit?action=platform.create&limit=2', {
      as: door.as.admin,
      headers: { accept: 'application/x-ndjson' },
    });
    expect(lines.headers['content-type']).toBe('application/x-ndjson');
    expect(lines.text.trimEnd().split('\n')).toHaveLength(2);
    expect(JSON.parse(lines.text.split('\n')[0] ?? '')).toEqual(items(made)[0]);
    expect(lines.headers['link']).toContain('action=platform.create');
    expect(shown(await door.send('/v1/audit?since=2030-01-01T00:00:00Z', { as: door.as.admin }))).toEqual([]);
    expect(shown(await door.send('/v1/audit?until=2026-11-24T00:00:02Z', { as: door.as.admin }))).toEqual([2, 1]);
  });
  test.each(['outcome=maybe', 'order=random', 'after=zzz', 'since=soon', 'limit=1001', 'format=csv'])(
    'with %s is refused',
    async (query) => {
      expect((await door.send(`/v1/audit?${query}`, { as: door.as.admin })).status).toBe(400);
    },
  );
});

describe('usage reports', () => {
  test('say as of when and what is unattributed, in JSON, CSV and NDJSON', async () => {
    const json = await door.send('/v1/usage/report', { as: door.as.admin });
    expect(json.json()).toMatchObject({
      as_of: '2026-11-23T10:20:00Z',
      from: '2026-11-01T00:00:00.000Z',
      window: 'day',
      group_by: ['consumer', 'offering', 'meter'],
      unattributed: [{ meter: 'requests', total: '3', share: '0.2000' }],
    });
    const csv = await door.send('/v1/usage/report?format=csv', { as: door.as.admin });
    expect(csv.headers['content-type']).toBe('text/csv');
    expect(csv.headers['meshbroker-as-of']).toBe('2026-11-23T10:20:00Z');
    expect(csv.headers['meshbroker-unattributed']).toBe('requests=3 (0.2000)');
    expect(csv.text.split('\r\n')[1]).toBe('2026-11-01,web/frontend,reviews,requests,1,12,true');
    const lines = (await door.send('/v1/usage/report', { as: door.as.admin, headers: { accept: 'application/x-ndjson' } })).text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(3);
    expect(lines.at(-1)).toEqual({ as_of: '2026-11-23T10:20:00Z', unattributed: [{ meter: 'requests', total: '3', share: '0.2000' }] });
  });
  test('are asked with dimensions, window and time zone', async () => {
    const answer = await door.send(
      '/v1/usage/report?group_by=plan,binding&group_by=meter&window=hour&from=2026-11-01&to=2026-11-02&time_zone=Asia/Kathmandu',
      { as: door.as.admin },
    );
    expect(answer.json()).toMatchObject({
      group_by: ['plan', 'binding', 'meter'],
      from: '2026-10-31T18:15:00.000Z',
      to: '2026-11-01T18:15:00.000Z',
      time_zone: 'Asia/Kathmandu',
    });
  });
  test.each(['group_by=colour', 'window=year', 'from=x', 'from=2026-11-02&to=2026-11-01', 'time_zone=Nowhere', 'format=xml'])(
    'with %s are refused',
    async (query) => {
      expect((await door.send(`/v1/usage/report?${query}`, { as: door.as.admin })).status).toBe(400);
    },
  );
});

describe('what is open', () => {
  test.each([
    '/livez',
    '/readyz',
    '/spiffe/bundle',
    '/docs',
    '/docs/osb',
    '/docs/platform',
    '/docs/ingest',
    '/docs/style.css',
    '/openapi/osb.yaml',
    '/openapi/platform.yaml',
    '/openapi/ingest.yaml',
    '/v1/offerings/reviews/apis/rest',
  ])('%s needs no credentials', async (path) => {
    expect((await door.send(path)).status).toBe(200);
    expect((await door.send(path, { method: 'HEAD' })).text).toBe('');
  });
  test('metrics need the token of an admin', async () => {
    expect((await door.send('/metrics')).status).toBe(401);
    expect((await door.send('/metrics', { as: door.as.cf })).status).toBe(403);
    const metrics = await door.send('/metrics', { as: door.as.admin });
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
  test('the broker says why it is not ready', async () => {
    const closed = await openDoor(() => ({
      readiness: { check: () => Promise.resolve({ ready: false, checks: [{ name: 'database', ok: false, reasons: ['no connection'] }] }) },
    }));
    const answer = await closed.send('/readyz');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('no connection');
    await closed.close();
  });
  test('the pages of /docs ask no other host and run no script', async () => {
    for (const path of ['/docs', '/docs/osb', '/docs/platform', '/docs/ingest']) {
      const page = await door.send(path);
      expect(page.headers['content-security-policy']).toBe(
        "default-src 'none';frame-ancestors 'none';style-src 'self';img-src data:;base-uri 'none';form-action 'none'",
      );
      expect(page.text).not.toMatch(/<script|\son\w+=|style="|(?:src|href)="(?:https?:)?\/\//);
      for (const [, target] of page.text.matchAll(/href="#([^"]+)"/g)) expect(page.text).toContain(`id="${target ?? ''}"`);
    }
  });
  test('an API description is served with its type, and what is not there is 404', async () => {
    const answer = await door.send('/v1/offerings/reviews/apis/rest');
    expect(answer.headers['content-type']).toBe('application/yaml');
    expect(answer.text).toBe('openapi: 3.1.0\n');
    for (const path of [
      '/v1/offerings/reviews/apis/none',
      '/v1/offerings/none/apis/rest',
      '/docs/none',
      '/openapi/none.yaml',
      '/',
      '/nope',
    ])
      expect([400, 404]).toContain((await door.send(path)).status);
  });
});
