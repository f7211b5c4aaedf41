import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { createTestApp } from '../support/app.ts';
import { expectDocumented, fromFetch } from '../support/expect-document.ts';
import { basic, osbClient } from '../support/osb-client.ts';

let app: TestApp;
beforeAll(async () => void (app = await createTestApp()));
afterAll(() => app.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: Record<string, unknown>;
}
async function send(path: string, authorization: string | null, init: RequestInit = {}): Promise<Answer> {
  const headers = {
    ...(authorization === null ? {} : { authorization }),
    'x-broker-api-version': '2.17',
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(init.headers as object | undefined),
  };
  const seen = await fromFetch(await fetch(app.url + path, { ...init, headers }));
  expectDocumented(init.method ?? 'GET', path, seen);
  const isJson = /json/.test(String(seen.headers['content-type'] ?? ''));
  return { ...seen, body: isJson && seen.text !== '' ? (JSON.parse(seen.text) as Record<string, unknown>) : {} };
}
const admin = (): string => `Bearer ${app.adminToken}`;
const post = (path: string, body?: unknown): Promise<Answer> =>
  send(path, admin(), { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
const refsOf = (answer: Answer): unknown[] => (answer.body['items'] as { ref: string }[]).map(({ ref }) => ref);

describe('the whole broker', () => {
  test('shows each platform only what it ordered itself, an admin everything', async () => {
    const [mine, theirs] = [osbClient(app.url, app.platform), osbClient(app.url, app.secondPlatform)];
    const order = { ...(await mine.planIds('reviews')), organization_guid: 'o', space_guid: 's' };
    for (const client of [mine, theirs])
      expect([200, 201, 202]).toContain((await client.call('PUT', '/v2/service_instances/same-id?accepts_incomplete=true', order)).status);
    const seenByMe = refsOf(await send('/v1/instances', basic(app.platform)));
    const seenByThem = refsOf(await send('/v1/instances', basic(app.secondPlatform)));
    expect(seenByMe).toHaveLength(1);
    expect(seenByThem).toHaveLength(1);
    expect(seenByMe).not.toEqual(seenByThem);
    expect(new Set(refsOf(await send('/v1/instances', admin())))).toEqual(new Set([...seenByMe, ...seenByThem]));
    expect((await send('/v1/usage/report', basic(app.platform))).status).toBe(200);
    expect((await send('/v1/operations', basic(app.platform))).status).toBe(403);
    expect((await send('/v1/operations?limit=1', admin())).body['items']).toHaveLength(1);
  });

  test('lets a platform bind for its namespaces only, and keeps the refusal in the audit log', async () => {
    const made = await post('/v1/platforms', { name: 'narrow', may_bind_for: ['shop'] });
    const login = { user: String(made.body['username']), password: String(made.body['password']) };
    const narrow = osbClient(app.url, login);
    const ids = await narrow.planIds('reviews');
    await narrow.call('PUT', '/v2/service_instances/n?accepts_incomplete=true', { ...ids, organization_guid: 'o', space_guid: 's' });
    await vi.waitFor(async () => expect((await narrow.call('GET', '/v2/service_instances/n')).status).toBe(200), { timeout: 10_000 });
    const bind = (namespace: string) =>
      narrow.call('PUT', `/v2/service_instances/n/service_bindings/${namespace}?accepts_incomplete=true`, {
        ...ids,
        parameters: { consumer: { kind: 'sidecar', namespace, service_account: 'frontend' } },
      });
    for (const refused of ['bank', 'istio-system']) expect((await bind(refused)).status).toBe(403);
    expect([201, 202]).toContain((await bind('shop')).status);
    await vi.waitFor(async () => {
      const { rows } = await app.database.run(
        `select actor, resource, outcome, detail - 'address' as detail from audit_event where action = 'request.denied' order by id`,
      );
      const reason = expect.stringMatching(/^parameters\.consumer\.namespace: /) as string;
      const asked = { operation: 'serviceBinding.binding', status: 403, instance_id: 'n', reason };
      const row = (namespace: string) => ({
        actor: 'platform:narrow',
        resource: namespace,
        outcome: 'denied',
        detail: { ...asked, binding_id: namespace, namespace },
      });
      expect(rows.filter((each) => each['actor'] === 'platform:narrow')).toEqual([row('bank'), row('istio-system')]);
    });
    const denied = await send('/v1/audit?outcome=denied&actor=platform:narrow&limit=1', admin());
    expect(denied.body['items']).toMatchObject([{ resource: 'istio-system', detail: { instance_id: 'n', namespace: 'istio-system' } }]);
  });

  test('refuses a state that there is none of, and a page after what is not there', async () => {
    for (const list of ['/v1/instances', '/v1/bindings', '/v1/operations']) {
      const wrong = await send(`${list}?state=wrong`, admin());
      expect([wrong.status, wrong.body['detail']], list).toEqual([400, expect.stringMatching(/^state \(query\) must be one of "/)]);
      for (const cursor of ['zzz', `mb-${'a'.repeat(20)}`, '00000000-0000-4000-8000-000000000000']) {
        const lost = await send(`${list}?after=${cursor}`, admin());
        expect([lost.status, lost.body['field']], `${list} ${cursor}`).toEqual([400, 'after']);
      }
    }
    const [ofAll, own] = [refsOf(await send('/v1/instances', admin())), refsOf(await send('/v1/instances', basic(app.platform)))];
    expect((await send(`/v1/instances?after=${String(ofAll.at(-1))}`, admin())).body['items']).toEqual([]);
    expect((await send(`/v1/instances?after=${String(own.at(-1))}`, basic(app.platform))).status).toBe(200);
  });

  test('keeps every event that it rejects, in each content mode', async () => {
    const ingest = (type: string, body: string, headers: Record<string, string> = {}): Promise<Answer> =>
      send('/v1/usage/events', `Bearer ${app.collectorToken}`, { method: 'POST', body, headers: { 'content-type': type, ...headers } });
    const batch = [
      '{"a":1}',
      '5',
      '{"specversion":"1.0","id":"q","source":"s","type":"t"}',
      '{"specversion":"1.0","id":"r","source":"s","type":"t","time":"then","x":[1]}',
    ];
    expect((await ingest('application/cloudevents-batch+json', `[${batch.join()}]`)).body).toMatchObject({ accepted: 0, rejected: 4 });
    expect((await ingest('application/json', '{"b":2}', { 'ce-specversion': '1.0', 'ce-source': '/s' })).body).toMatchObject({
      rejected: 1,
    });
    const { rows } = await app.database.run<{ text: string }>('select event::text as text from usage_quarantine');
    expect(rows.map(({ text }) => text).toSorted()).toEqual([...batch, '{"specversion":"1.0","source":"/s","data":{"b":2}}'].toSorted());
    expect((await send('/metrics', admin())).text).toMatch(/meshbroker_usage_events_total\{outcome="rejected"\} 5/);
  });

  test('serves its catalogue again without sending it, compressed once that is ready', async () => {
    const first = await send('/v2/catalog', basic(app.platform), { headers: { 'accept-encoding': 'identity' } });
    const again = await send('/v2/catalog', basic(app.platform), {
      headers: { 'accept-encoding': 'identity', 'if-none-match': String(first.headers['etag']) },
    });
    expect([first.status, again.status, again.text]).toEqual([200, 304, '']);
    await vi.waitFor(async () => {
      const small = await send('/v2/catalog', basic(app.platform), { headers: { 'accept-encoding': 'br' } });
      expect(small.headers['content-encoding']).toBe('br');
      expect(small.text).toBe(first.text);
      expect(small.headers['etag']).not.toBe(first.headers['etag']);
    });
  });

  test('serves the API description that the catalogue links to', async () => {
    const description = await send('/v1/offerings/reviews/apis/reviews', null);
    expect(description.status).toBe(200);
    expect(description.text).toContain('openapi');
    const catalog = await send('/v2/catalog', basic(app.platform));
    expect(catalog.text).toContain('/v1/offerings/reviews/apis/reviews');
  });

  test('is alive and ready, has a trust bundle, and counts its requests', async () => {
    expect((await send('/livez', null)).status).toBe(200);
    expect((await send('/readyz', null)).body).toMatchObject({ ready: true });
    expect((await send('/spiffe/bundle', null)).body['keys']).not.toEqual([]);
    const { text } = await send('/metrics', admin());
    expect(text).toMatch(/meshbroker_http_requests_total\{contract="platform",operation="health.live",status="200"\} \d+/);
  });

  test('never shows a credential again', async () => {
    const made = await post('/v1/platforms', { name: 'secretive' });
    const rotated = await post('/v1/platforms/secretive/rotate', { overlap_seconds: 0 });
    const secrets = [made, rotated].map(({ body }) => String(body['password']));
    expect(new Set(secrets).size).toBe(2);
    const shown = [await send('/v1/platforms', admin()), await send('/v1/tokens', admin()), await send('/metrics', admin())]
      .map(({ text }) => text)
      .join();
    const { rows } = await app.database.run<{ everything: string }>(
      `select (select json_agg(c)::text from access_credential c) || (select json_agg(a)::text from audit_event a) as everything`,
    );
    for (const secret of [...secrets, app.adminToken, app.collectorToken])
      expect(shown + (rows[0]?.everything ?? '')).not.toContain(secret);
    const asOld = basic({ user: 'secretive', password: secrets[0]! });
    const asNew = basic({ user: 'secretive', password: secrets[1]! });
    expect([(await send('/v2/catalog', asOld)).status, (await send('/v2/catalog', asNew)).status]).toEqual([401, 200]);
  });
});
