import { expect } from 'vitest';
import { memoryLog } from './memory-log.ts';
import { AI, conformance, inWeb, query, type Broker, type Call } from './broker.ts';
import { everyOperation } from './operations.ts';
import { refusedRequests } from './refused-requests.ts';

const { logger, lines } = memoryLog();
const check = conformance({ logger });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
const originating = (platform: string, value: unknown): Call => raw(`${platform} ${encode(value)}`);
const raw = (header: string): Call => ({ headers: { 'x-broker-api-originating-identity': header } });
const requested = (value: string): Call => ({ headers: { 'x-broker-api-request-identity': value } });
const identityOf = async (broker: Broker, action: string): Promise<unknown> =>
  (
    await broker.rows<{ originating_identity: unknown }>(
      `select originating_identity from audit_event where action = $1 and outcome = 'accepted' order by id desc limit 1`,
      [action],
    )
  )[0]?.originating_identity;

check('OID-01', async (broker) => {
  for (const { what, send } of await everyOperation(broker)) expect([200, 201], what).toContain((await send()).status);
});
check('OID-02', async (broker) => {
  const call = { headers: { 'x-broker-api-originating-identity': 'cloudfoundry eyJ1c2VyX2lkIjoieCJ9' } };
  for (const { send } of await everyOperation(broker)) await send(call);
  for (const action of ['instance.provision', 'instance.update', 'binding.bind', 'binding.unbind', 'instance.deprovision'])
    expect(await identityOf(broker, action), action).toEqual({ platform: 'cloudfoundry', value: { user_id: 'x' } });
});
check('OID-03', async (broker) => {
  const context = { platform: 'kubernetes', namespace: 'web', clusterid: 'c' };
  const warned = (): number => lines.filter(({ message }) => /another platform/.test(String(message))).length;
  const before = warned();
  const same = await broker.put(broker.fresh(), broker.order('basic', { context }), AI, originating('kubernetes', {}));
  expect([same.status, warned()]).toEqual([201, before]);
  const other = await broker.put(broker.fresh(), broker.order('basic', { context }), AI, originating('cloudfoundry', {}));
  expect([other.status, warned()]).toEqual([201, before + 1]);
});
check('OID-04', async (broker) => {
  const instance = await broker.ready('basic');
  const before = await broker.fetch(instance);
  const malformed = ['cloudfoundry', 'cloudfoundry !!!', 'cloudfoundry W10=', 'cloudfoundry bnVsbA==', 'cloudfoundry ezE=', 'a e30= e30='];
  for (const header of malformed) {
    const id = broker.fresh();
    const update = { ...broker.ids('premium') };
    for (const answer of [
      await broker.put(id, broker.order('basic'), AI, raw(header)),
      await broker.patch(instance, update, AI, raw(header)),
      await broker.remove(instance, broker.del('basic'), raw(header)),
    ]) {
      expect(answer.status, header).toBe(400);
      expect(answer.body['error']).toBe('BadRequest');
    }
    expect((await broker.remove(id, broker.del('basic'))).status).toBe(410);
  }
  expect((await broker.fetch(instance)).body).toEqual(before.body);
  expect((await broker.patch(instance, { service_id: broker.ids('basic').service_id }, AI, raw('martian e30='))).status).toBe(200);
});
check('OID-05', async (broker) => {
  const kubernetes = { username: 'duke', uid: 'c2dde242', groups: ['admin', 'dev'], extra: { mydata: ['data1', 'data3'] } };
  for (const [platform, value] of [
    ['cloudfoundry', { user_id: '683ea748-3092-4ff4-b656-39cacc4d5360' }],
    ['kubernetes', kubernetes],
    ['kubernetes', { username: 'duke' }],
    ['kubernetes', { ...kubernetes, more: { x: [1, null] } }],
  ] as const) {
    const answer = await broker.put(broker.fresh(), broker.order('basic'), AI, originating(platform, value));
    expect(answer.status).toBe(201);
    expect(await identityOf(broker, 'instance.provision')).toEqual({ platform, value });
  }
});
check('RID-01', async (broker) => {
  const seen = new Set<number>();
  const echoed = async (what: string, send: (call: Call) => ReturnType<Broker['call']>): Promise<void> => {
    const value = `e26cee84-6b38-4456-b34e-d1a9f002c956/${what}`;
    const answer = await send(requested(value));
    expect(answer.headers.get('x-broker-api-request-identity'), what).toBe(value);
    seen.add(answer.status);
  };
  for (const { what, send } of await everyOperation(broker)) await echoed(what, send);
  for (const { what, send } of await everyOperation(broker)) await echoed(what, (call) => send({ ...call, login: null }));
  for (const { what, send } of await everyOperation(broker, 'slow')) await echoed(what, send);
  const ready = await broker.ready('basic');
  const basic = broker.ids('basic');
  await echoed('400', (call) => broker.put(broker.fresh(), '{', AI, call));
  await echoed('405', (call) => broker.call('POST', '/v2/catalog', call));
  await echoed('404', (call) => broker.call('GET', '/v2/nope', call));
  await echoed('409', (call) => broker.put(ready, broker.order('premium'), AI, call));
  await echoed('410', (call) => broker.remove(broker.fresh(), query(basic), call));
  await echoed('412', (call) => broker.call('GET', '/v2/catalog', { ...call, version: '1.0' }));
  await echoed('413', (call) => broker.put(ready, 'x'.repeat(70_000), AI, call));
  await echoed('422', (call) => broker.put(broker.fresh(), broker.order('queued'), '', call));
  expect([...seen].sort()).toEqual([200, 201, 202, 400, 401, 404, 405, 409, 410, 412, 413, 422]);
  expect(await refusedRequests(broker)).not.toHaveLength(0);
});
check('RID-02', async (broker) => {
  const logged = (value: string): number => lines.filter((line) => Object.values(line).includes(value)).length;
  const plain = 'e26cee84-6b38-4456-b34e-d1a9f002c956-in-the-log';
  await broker.call('GET', broker.instancePath('nothing'), requested(plain));
  await expect.poll(() => logged(plain)).toBe(1);
  const hostile = 'a","level":"fatal","x":"';
  const answer = await broker.call('GET', broker.instancePath('nothing'), requested(hostile));
  expect(answer.headers.get('x-broker-api-request-identity')).toBe(hostile);
  expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
  expect(logged(hostile)).toBe(0);
});
check('RID-03', async (broker) => {
  const [first, second] = [broker.fresh(), broker.fresh()];
  for (const id of [first, second]) expect((await broker.put(id, broker.order('basic'), AI, requested('twice'))).status).toBe(201);
  const empty = await broker.call('GET', '/v2/catalog', requested(''));
  expect(empty.status).toBe(200);
  expect(empty.headers.get('x-broker-api-request-identity')).toBeNull();
  expect((await broker.bind(first, broker.fresh('b'), { ...broker.ids('basic'), parameters: inWeb }, AI, requested('twice'))).status).toBe(
    201,
  );
});
