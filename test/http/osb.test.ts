import { afterEach, describe, expect, test } from 'vitest';
import { asMounted } from '../../src/api/mount.ts';
import { osbContract } from '../../src/api/osb/contract.ts';
import type { OsbSettings } from '../../src/api/osb/osb-services.ts';
import { loadConfig } from '../../src/config.ts';
import type { BindingService, BindingView } from '../../src/bindings/binding-port.ts';
import type { InstanceService } from '../../src/instances/instance-port.ts';
import { BrokerError, type ErrorCode } from '../../src/kernel/errors.ts';
import type { LastOperation } from '../../src/operations/operation-port.ts';
import { catalogPages, openDoor } from '../support/door.ts';

const metadata = { labels: { plan: 'p' }, attributes: { host: 'h' } };
const view: BindingView = {
  credentials: { uri: 'http://orders:80' },
  endpoints: [{ host: 'orders', ports: ['80'], protocol: 'tcp' }],
  metadata: { expiresAt: new Date('2027-01-02T03:04:05.678Z'), renewBefore: new Date('2027-01-01T00:00:00Z') },
  parameters: { level: 'high' },
};
const deleted: LastOperation = {
  state: 'succeeded',
  description: '',
  kind: 'deprovision',
  instanceUsable: null,
  updateRepeatable: null,
  finishedAt: new Date(0),
};
interface Asked {
  readonly method: string;
  readonly request: unknown;
}

type Door = Awaited<ReturnType<typeof openDoor>>;
let open: Door | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

/** The OSB contract before rooms that answer as they are told, and remember what they were asked. */
async function door({ settings = {}, error }: { settings?: Partial<OsbSettings>; error?: Error } = {}) {
  const asked: Asked[] = [];
  const answer =
    <Outcome>(method: string, outcome: Outcome) =>
    (...given: readonly unknown[]): Promise<Outcome> => {
      asked.push({ method, request: given.at(-1) });
      return error === undefined ? Promise.resolve(outcome) : Promise.reject(error);
    };
  const instances: InstanceService = {
    provision: answer('provision', { kind: 'created', metadata }),
    update: answer('update', { kind: 'updated', metadata }),
    deprovision: answer('deprovision', { kind: 'deleted' }),
    fetch: answer('fetch', { serviceId: 's', planId: 'p', parameters: null, maintenanceVersion: '1.0.0', metadata }),
    lastOperation: answer('lastOperation', { kind: 'found', operation: deleted }),
  };
  const bindings: BindingService = {
    bind: answer('bind', { kind: 'created', binding: view }),
    unbind: answer('unbind', { kind: 'deleted' }),
    fetch: answer('fetch', view),
    lastOperation: answer('lastOperation', { kind: 'found', operation: { ...deleted, kind: 'unbind' } }),
  };
  const osb = asMounted(osbContract({ instances, bindings, catalogPages, settings: { ...loadConfig({}).osb, ...settings } }));
  const opened = await openDoor(() => ({ osb }));
  open = opened;
  const send = async (method: string, path: string, { version = '2.17', body }: { version?: string | null; body?: unknown } = {}) => {
    const headers: Record<string, string> = version === null ? {} : { 'x-broker-api-version': version };
    const seen = await opened.send(path, { method, as: opened.as.cf, headers, ...(body === undefined ? {} : { body }) });
    return { status: seen.status, headers: seen.headers, body: seen.json() };
  };
  return { send, asked };
}
const instance = '/v2/service_instances/i';
const binding = `${instance}/service_bindings/b`;
const order = { service_id: 's', plan_id: 'p', organization_guid: 'o', space_guid: 's' };

describe('a missing version', () => {
  test.each([
    [412, 412, 'UnsupportedApiVersion'],
    [400, 400, 'BadRequest'],
  ] as const)('is refused with %i where that is set', async (missingApiVersion, status, error) => {
    const { send, asked } = await door({ settings: { missingApiVersion } });
    for (const version of [null, '']) {
      const refused = await send('GET', instance, { version });
      expect([refused.status, refused.body['error']]).toEqual([status, error]);
      expect(refused.body['description']).toMatch(/X-Broker-API-Version.*2\.17/);
    }
    expect(asked).toEqual([]);
  });
  test('is the newest where that is set, but a wrong one never', async () => {
    const { send } = await door({ settings: { missingApiVersion: 'accept' } });
    expect((await send('GET', binding, { version: null })).body['metadata']).toHaveProperty('renew_before');
    for (const version of ['1.0', '3.0', 'abc', '2', '2.10', '2.9', '2.x', '2.17.1', '-2.17']) {
      expect((await send('GET', instance, { version })).status).toBe(412);
    }
  });
});

describe('a finished deletion', () => {
  test('polls as succeeded, or as gone where a checker wants that', async () => {
    const first = await door();
    expect((await first.send('GET', `${instance}/last_operation`)).body).toEqual({ state: 'succeeded' });
    expect((await first.send('GET', `${binding}/last_operation`)).body).toEqual({ state: 'succeeded' });
    await open?.close();
    const { send } = await door({ settings: { lastOperationAfterDelete: 'gone' } });
    for (const path of [instance, binding]) {
      const gone = await send('GET', `${path}/last_operation`);
      expect([gone.status, gone.body['error']]).toEqual([410, 'Gone']);
    }
  });
});

describe('refusals of the rooms', () => {
  test.each<[ErrorCode, number, string, RegExp]>([
    ['bad-request', 400, 'BadRequest', /^told$/],
    ['forbidden', 403, 'Forbidden', /^told$/],
    ['not-found', 404, 'NotFound', /^told$/],
    ['conflict', 409, 'Conflict', /^told$/],
    ['async-required', 422, 'AsyncRequired', /^This service plan requires client support for asynchronous service operations\.$/],
    ['concurrency', 422, 'ConcurrencyError', /^The Service Broker does not support concurrent requests that mutate the same resource\.$/],
    ['maintenance-conflict', 422, 'MaintenanceInfoConflict', /^told$/],
    ['requires-app', 422, 'RequiresApp', /^This service supports generation of credentials through binding an application only\.$/],
    ['route-conflict', 422, 'RouteConflict', /^told$/],
    ['provision-failed', 422, 'ProvisionFailed', /^told$/],
    ['timed-out', 503, 'TimedOut', /^told$/],
    ['unavailable', 503, 'Unavailable', /^told$/],
    ['internal', 500, 'InternalError', /^The broker failed;/],
  ])('%s is a %i %s', async (code, status, error, description) => {
    const { send } = await door({ error: new BrokerError(code, 'told') });
    const refused = await send('PUT', binding, { body: { service_id: 's', plan_id: 'p' } });
    expect([refused.status, refused.body['error']]).toEqual([status, error]);
    expect(refused.body['description']).toMatch(description);
    expect(refused.headers['cache-control']).toBe('no-store');
  });
  test('that nobody foresaw are a fixed sentence', async () => {
    const { send } = await door({ error: new Error('select * from secret where path = /src/app.ts') });
    const refused = await send('PUT', instance, { body: order });
    expect(refused.status).toBe(500);
    expect(refused.body).toEqual({
      error: 'InternalError',
      description: 'The broker failed; its log has the reason under the request id.',
    });
  });
  test('tell usability only where the standard has it', async () => {
    const error = new BrokerError('plan-change-not-supported', 'told', { instanceUsable: true, updateRepeatable: false });
    const { send } = await door({ error });
    const usability = async (method: string, path: string, body?: unknown): Promise<readonly unknown[]> => {
      const { body: told } = await send(method, path, { body });
      return [told['instance_usable'], told['update_repeatable']];
    };
    expect(await usability('PATCH', instance, { service_id: 's' })).toEqual([true, false]);
    expect(await usability('DELETE', `${instance}?service_id=s&plan_id=p`)).toEqual([true, undefined]);
    expect(await usability('PUT', instance, order)).toEqual([undefined, undefined]);
    expect(await usability('DELETE', `${binding}?service_id=s&plan_id=p`)).toEqual([undefined, undefined]);
  });
});

describe('what the rooms are asked', () => {
  test('null is absent, and an application stands in one place', async () => {
    const { send, asked } = await door();
    await send('PUT', instance, { body: { ...order, parameters: null, context: null, maintenance_info: null } });
    await send('PUT', binding, { body: { service_id: 's', plan_id: 'p', parameters: null, bind_resource: null, app_guid: 'a' } });
    await send('PUT', binding, { body: { service_id: 's', plan_id: 'p', bind_resource: { route: 'r' }, app_guid: '' } });
    expect(asked.map(({ request }) => request)).toMatchObject([
      { parameters: null, context: null, maintenanceVersion: null, acceptsIncomplete: false },
      { parameters: null, bindResource: { app_guid: 'a' }, predecessorBindingId: null },
      { bindResource: { route: 'r' } },
    ]);
  });
  test('ids that an unbind does not name are empty, those of a deprovision are refused', async () => {
    const { send, asked } = await door();
    expect((await send('DELETE', binding)).status).toBe(200);
    expect(asked[0]?.request).toEqual({ serviceId: '', planId: '', acceptsIncomplete: false });
    expect((await send('DELETE', instance)).status).toBe(400);
    expect(asked).toHaveLength(1);
  });
  test('clients from before 2.14 never bind asynchronously', async () => {
    const { send, asked } = await door();
    for (const version of ['2.13', '2.14']) {
      await send('PUT', `${binding}?accepts_incomplete=true`, { version, body: { service_id: 's', plan_id: 'p' } });
      await send('DELETE', `${binding}?accepts_incomplete=true`, { version });
    }
    expect(asked.map(({ request }) => (request as { acceptsIncomplete: boolean }).acceptsIncomplete)).toEqual([false, false, true, true]);
  });
});

test.each([
  ['2.13', ['credentials', 'parameters'], undefined],
  ['2.15', ['credentials', 'endpoints', 'parameters'], undefined],
  ['2.16', ['credentials', 'endpoints', 'metadata', 'parameters'], { expires_at: '2027-01-02T03:04:05.678Z' }],
  [
    '2.17',
    ['credentials', 'endpoints', 'metadata', 'parameters'],
    { expires_at: '2027-01-02T03:04:05.678Z', renew_before: '2027-01-01T00:00:00.000Z' },
  ],
])('a binding for a client of %s has what that version knows', async (version, keys, moments) => {
  const { send } = await door();
  const made = await send('PUT', binding, { version, body: { service_id: 's', plan_id: 'p' } });
  expect(made.status).toBe(201);
  for (const { body } of [made, await send('GET', binding, { version })]) {
    expect(Object.keys(body).sort()).toEqual(keys);
    expect(body['metadata']).toEqual(moments);
  }
});
