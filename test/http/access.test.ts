import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultHttpSettings } from '../../src/api/server.ts';
import { openDoor } from '../support/door.ts';
import { documentedOperations } from '../support/expect-document.ts';
import { basic } from '../support/memory-access.ts';

let door: Awaited<ReturnType<typeof openDoor>>;
let strict: typeof door;
beforeAll(async () => {
  door = await openDoor();
  strict = await openDoor(() => ({ settings: { ...defaultHttpSettings, failureLimit: { failures: 3, windowSeconds: 60 } } }));
});
afterAll(() => Promise.all([door.close(), strict.close()]));
const catalog = (as: string | undefined, headers: Record<string, string> = {}, at = door) =>
  at.send('/v2/catalog', { ...(as === undefined ? {} : { as }), headers: { 'x-broker-api-version': '2.17', ...headers } });

describe('authentication', () => {
  test('lets a platform in, also the second time', async () => {
    for (const time of [1, 2]) expect((await catalog(door.as.cf)).status, String(time)).toBe(200);
  });
  test.each<[string, string | undefined]>([
    ['no credentials', undefined],
    ['no base64', 'Basic !!!'],
    ['a bearer token that is none', 'Bearer x'],
    ['another scheme', 'Digest x'],
    ['a name alone', basic('cf', '')],
    ['a wrong name', basic('nobody', 'x')],
  ])('refuses %s with 401 and says how', async (_, as) => {
    const answer = await catalog(as);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Basic realm="meshbroker"/);
    expect(String(answer.json()['description'])).toContain('Authorization');
  });
  test('comes before version, body and existence', async () => {
    for (const path of ['/v2/catalog', '/v2/nope', '/v2/service_instances/%20', '/v1/nope', '/v1/platforms']) {
      const answer = await fetch(door.url + path, {
        method: 'PUT',
        headers: { 'x-broker-api-version': 'garbage', authorization: 'Basic !!!' },
        body: '{',
      });
      expect(answer.status, path).toBe(401);
    }
  });
  test('takes a token of another kind for what it is: not enough', async () => {
    const answer = await catalog(door.as.admin);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('Authorization: the token of an admin is not taken here: use the user name and password of a platform');
    expect((await door.send('/v1/platforms', { as: door.as.cf })).status).toBe(403);
    expect((await door.send('/v1/instances', { as: door.as.collector })).status).toBe(403);
    await door.denials.task.activate(new AbortController().signal);
    expect(door.audited).toContainEqual(
      expect.objectContaining({
        actor: 'platform:cf',
        action: 'request.denied',
        outcome: 'denied',
        detail: expect.objectContaining({ status: 403, operation: 'platforms.list' }) as object,
      }),
    );
  });

  test('answers 429 after some failures of a name, and still lets the good credential in from there', async () => {
    const from = (as: string) => catalog(as, {}, strict);
    const wrong = basic('cf', 'guess');
    const statuses: number[] = [];
    for (let times = 0; times < 5; times += 1) statuses.push((await from(wrong)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect(Number((await from(wrong)).headers['retry-after'])).toBeGreaterThan(0);
    expect((await from(strict.as.cf)).status).toBe(200);
    expect((await from(basic('other', 'guess'))).status).toBe(401);
    await strict.denials.task.activate(new AbortController().signal);
    const denied = strict.audited.filter(({ actor, action }) => action === 'request.denied' && actor === 'claimed:cf');
    expect(denied.length).toBeGreaterThan(0);
    expect(JSON.stringify(denied)).not.toContain('guess');
  });
  test('writes no secret where a user name should stand', async () => {
    await catalog(basic('mbp_secret-in-the-wrong-place', 'x'));
    await door.denials.task.activate(new AbortController().signal);
    expect(JSON.stringify(door.audited)).not.toContain('wrong-place');
    expect(JSON.stringify(door.lines)).not.toContain('wrong-place');
  });
  test('of a platform of a setting works with exactly that password, colons and all', async () => {
    expect(await door.platforms.ensurePlatform({ name: 'compose', password: 'a:b ü', mayBindFor: ['*'] })).toBe('created');
    expect(await door.platforms.ensurePlatform({ name: 'compose', password: 'a:b ü', mayBindFor: ['*'] })).toBe('kept');
    expect((await catalog(basic('compose', 'a:b ü'))).status).toBe(200);
    expect((await catalog(basic('compose', 'a'))).status).toBe(401);
  });
  test('with a token of a setting follows the setting, also back and forth', async () => {
    for (const token of ['first-token', 'second-token', 'first-token']) {
      await door.platforms.ensureToken('admin', 'environment', token);
      expect((await door.send('/v1/platforms', { as: `Bearer ${token}` })).status).toBe(200);
      const other = token === 'first-token' ? 'second-token' : 'first-token';
      expect((await door.send('/v1/platforms', { as: `Bearer ${other}` })).status).toBe(401);
    }
  });
});

type Kind = 'cf' | 'admin' | 'collector';
const everybody = 'everybody';
const own: readonly Kind[] = ['admin', 'cf'];
/** Who may do what, written down apart from the documents: an operation without a line here fails. */
const allowed: Readonly<Record<string, readonly Kind[] | typeof everybody>> = {
  ...Object.fromEntries(['catalog.get', 'serviceInstance.provision', 'serviceInstance.update', 'serviceInstance.get', 'serviceInstance.deprovision', 'serviceInstance.lastOperation.get', 'serviceBinding.binding', 'serviceBinding.get', 'serviceBinding.unbinding', 'serviceBinding.lastOperation.get'].map((id) => [id, ['cf'] as const])),
  ...Object.fromEntries(['platforms.list', 'platforms.create', 'platforms.update', 'platforms.rotate', 'platforms.revoke', 'tokens.list', 'tokens.create', 'tokens.revoke', 'operations.list', 'operations.retry', 'guards.release', 'audit.list', 'metrics.get'].map((id) => [id, ['admin'] as const])),
  ...Object.fromEntries(['instances.list', 'bindings.list', 'bindings.get', 'bindings.usage', 'usage.report'].map((id) => [id, own])),
  'usage.ingest': ['admin', 'collector'],
  ...Object.fromEntries(['offerings.api', 'trust.bundle', 'health.live', 'health.ready', 'docs.index', 'docs.style', 'docs.contract', 'documents.get'].map((id) => [id, everybody])),
}; // prettier-ignore

describe('authorisation', () => {
  test.each(documentedOperations.map(({ operationId, method, path }) => ({ operationId, method: method.toUpperCase(), path })))(
    'of $operationId is as written down',
    async ({ operationId, method, path }) => {
      const may = allowed[operationId];
      expect(may, `${operationId} has no line in the table`).toBeDefined();
      const target = path.replaceAll(/\{\w+\}/g, 'x');
      const send = (as: string | undefined) =>
        door.send(target, {
          method,
          ...(as === undefined ? {} : { as }),
          headers: { 'x-broker-api-version': '2.17' },
          ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{' }),
        });
      const isIn = (status: number): boolean => status !== 401 && status !== 403;
      expect(isIn((await send(undefined)).status), 'anonymous').toBe(may === everybody);
      for (const kind of ['cf', 'admin', 'collector'] as const) {
        const { status } = await send(door.as[kind]);
        expect(isIn(status), `${kind}: ${status}`).toBe(may === everybody || may?.includes(kind));
        expect(status, `${kind}: ${status}`).toBeLessThan(500);
      }
    },
  );
});
