import { X509Certificate } from 'node:crypto';
import { expect } from 'vitest';
import { AI, conformance, inWeb, object, query, type Answer, type Body, type Broker } from './broker.ts';
import { inMesh } from './in-mesh.ts';

const check = conformance();

const bindingPlans = ['basic', 'premium', 'plain', 'queued', 'standard', 'ordinary'];
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/;

/** A finished binding of each plan, in the mesh and outside of it. */
async function everyBinding(broker: Broker): Promise<readonly Body[]> {
  const bodies: Body[] = [];
  for (const plan of bindingPlans) {
    const instance = await broker.ready(plan);
    for (const parameters of [inWeb, { consumer: { kind: 'off-mesh' } }]) {
      bodies.push((await broker.fetchBinding(instance, await broker.bound(instance, plan, { parameters }))).body);
    }
  }
  return bodies;
}

check('BND-01', async (broker) => {
  const instance = await broker.ready('basic');
  for (const search of ['', AI, 'accepts_incomplete=false']) {
    const made = await broker.bind(instance, broker.fresh('b'), broker.ids('basic'), search);
    expect(made.status).toBe(201);
    expect(object(made.body['credentials'])).toMatchObject({ schema: 'mesh-binding/v1' });
  }
});

check('BND-02', async (broker) => {
  for (const service of await broker.services()) {
    expect(service['bindable']).toBe(true);
    for (const plan of service.plans) expect(plan['bindable']).toBe(plan.name !== 'closed');
  }
});

check('BND-03', async (broker) => {
  const instance = await broker.ready('closed');
  const refused = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('closed'), parameters: inWeb });
  expect([refused.status, refused.body['error']]).toEqual([400, 'BadRequest']);
  expect(refused.body['description']).toMatch(/"closed" is not bindable/);
});

check('BND-04', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = await broker.ready(plan);
    for (const parameters of [inWeb, {}]) {
      const binding = await broker.bound(instance, plan, { parameters });
      const fetched = await broker.fetchBinding(instance, binding);
      for (const search of ['', AI]) {
        const again = await broker.bind(instance, binding, { parameters, ...broker.ids(plan) }, search);
        expect([again.status, again.body]).toEqual([200, fetched.body]);
      }
      expect(await broker.rows('select 1 from service_binding where binding_id = $1', [binding])).toHaveLength(1);
    }
  }
});

check('BND-05', async (broker) => {
  const instance = await broker.ready('hang-bind');
  const [binding, body] = [broker.fresh('b'), { ...broker.ids('hang-bind'), parameters: inWeb }];
  const first = await broker.bind(instance, binding, body);
  const again = await broker.bind(instance, binding, body);
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(first.operation).toMatch(/./);
  expect(again.body).toEqual({ operation: first.operation });
  expect(await broker.rows('select 1 from service_binding where binding_id = $1', [binding])).toHaveLength(1);
});

check('BND-06', async (broker) => {
  const other: readonly Body[] = [
    { parameters: { ...inWeb, contact: 'other' } },
    { parameters: undefined },
    { bind_resource: { app_guid: 'other' } },
    { service_id: broker.ids('standard').service_id, plan_id: broker.ids('standard').plan_id },
    { plan_id: broker.ids('premium').plan_id },
  ];
  const finished = await broker.ready('basic');
  const binding = await broker.bound(finished, 'basic');
  const running = await broker.ready('hang-bind');
  const unfinished = broker.fresh('b');
  await broker.bind(running, unfinished, { ...broker.ids('hang-bind'), parameters: inWeb });
  for (const change of other) {
    const answers = [
      await broker.bind(finished, binding, { ...broker.ids('basic'), parameters: inWeb, ...change }),
      await broker.bind(running, unfinished, { ...broker.ids('hang-bind'), parameters: inWeb, ...change }),
    ];
    for (const { status, body } of answers) expect([change, status, body['error']]).toEqual([change, 409, 'Conflict']);
  }
  expect((await broker.fetchBinding(finished, binding)).status).toBe(200);
});

check('BND-07', async (broker) => {
  const instance = await broker.ready('basic');
  const ids = broker.ids('basic');
  for (const field of ['service_id', 'plan_id']) {
    for (const value of [undefined, '', null, 7, {}, []]) {
      const refused = await broker.bind(instance, broker.fresh('b'), { ...ids, [field]: value });
      expect([field, value, refused.status, refused.body['error']]).toEqual([field, value, 400, 'BadRequest']);
      expect(refused.body['description']).toContain(field);
    }
  }
  for (const body of ['{', '[]', 'null', '"x"']) expect((await broker.bind(instance, broker.fresh('b'), body)).status).toBe(400);
});

check('BND-08', async (broker) => {
  const instance = await broker.ready('basic');
  const ids = broker.ids('basic');
  for (const wrong of [broker.ids('standard'), { ...ids, plan_id: broker.ids('premium').plan_id }, { ...ids, service_id: 'x' }]) {
    expect((await broker.bind(instance, broker.fresh('b'), wrong)).status).toBe(400);
  }
  expect((await broker.patch(instance, broker.ids('premium'))).status).toBe(200);
  expect((await broker.bind(instance, broker.fresh('b'), broker.ids('basic'))).status).toBe(400);
  expect((await broker.bind(instance, broker.fresh('b'), broker.ids('premium'))).status).toBe(201);
});

check('BND-09', async (broker) => {
  const bind = async (instance: string, plan: string): Promise<readonly unknown[]> => {
    const { status, body } = await broker.bind(instance, broker.fresh('b'), { ...broker.ids(plan), parameters: inWeb });
    return [status, body['error']];
  };
  expect(await bind(broker.fresh('none'), 'basic')).toEqual([404, 'NotFound']);
  const making = broker.fresh();
  await broker.put(making, broker.order('hang-provision'));
  expect(await bind(making, 'hang-provision')).toEqual([422, 'ConcurrencyError']);
  const leaving = await broker.ready('hang-delete');
  await broker.remove(leaving, broker.del('hang-delete'));
  expect(await bind(leaving, 'hang-delete')).toEqual([422, 'ConcurrencyError']);
  const failed = broker.fresh();
  await broker.put(failed, broker.order('fail-provision'));
  await broker.endOf(failed);
  expect(await bind(failed, 'fail-provision')).toEqual([422, 'ProvisionFailed']);
});

check('BND-10', async (broker) => {
  const instance = await broker.ready('basic');
  const ids = broker.ids('basic');
  const none = await broker.bound(instance, 'basic', {});
  for (const empty of [
    { app_guid: '' },
    { bind_resource: {} },
    { bind_resource: { app_guid: '' } },
    { bind_resource: null, app_guid: null },
  ]) {
    expect((await broker.bind(instance, none, { ...ids, ...empty })).status).toBe(200);
    expect((await broker.bind(instance, broker.fresh('b'), { ...ids, ...empty })).status).toBe(201);
  }
  const app = await broker.bound(instance, 'basic', { bind_resource: { app_guid: 'a' } });
  expect((await broker.bind(instance, app, { ...ids, app_guid: 'a' })).status).toBe(200);
  const route = { app_guid: 'a', route: 'shop.example.com', space_guid: 's' };
  expect((await broker.bind(instance, broker.fresh('b'), { ...ids, bind_resource: route })).status).toBe(201);
});

check('BND-11', async (broker) => {
  const instance = await broker.ready('basic');
  const bad: readonly [unknown, RegExp][] = [
    [{ contact: 7 }, /contact/],
    [{ nobody: 1 }, /nobody/],
    [{ consumer: { kind: 'ufo' } }, /kind/],
    [{ consumer: 'web' }, /consumer/],
    [{ consumer: { kind: 'sidecar', namespace: 'Not A Name' } }, /namespace/],
    [{ csr: 'no request' }, /csr/],
    [[], /parameters/],
    ['text', /parameters/],
  ];
  for (const [parameters, named] of bad) {
    const refused = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), parameters });
    expect([parameters, refused.status]).toEqual([parameters, 400]);
    expect(refused.body['description']).toMatch(named);
  }
});

check('BND-12', async (broker) => {
  const instance = await broker.ready('basic');
  const contexts = [undefined, null, {}, { platform: 'martian', moons: [1, { two: null }] }, { platform: 'cloudfoundry', space_guid: 's' }];
  for (const context of contexts) {
    expect((await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), context })).status).toBe(201);
  }
  expect((await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), context: [] })).status).toBe(400);
});

check('BND-13', async (broker) => {
  for (const plan of bindingPlans) {
    const [instance, binding] = [await broker.ready(plan), broker.fresh('b')];
    const made = await broker.bind(instance, binding, { ...broker.ids(plan), parameters: inWeb });
    if (made.status === 202) await broker.endOfBinding(instance, binding);
    const { body } = made.status === 202 ? await broker.fetchBinding(instance, binding) : made;
    expect(object(body['credentials'])).toMatchObject({ 'spiffe-id': 'spiffe://mesh.example.com/ns/web/sa/frontend' });
  }
});

check('BND-14', async (broker) => {
  const instance = await broker.ready('basic');
  const [first, second] = [await broker.bound(instance, 'basic', {}), await broker.bound(instance, 'basic', {})];
  const credentials = await Promise.all(
    [first, second].map(async (binding) => object((await broker.fetchBinding(instance, binding)).body['credentials'])),
  );
  for (const name of ['spiffe-id', 'client-certificate', 'private-key']) {
    expect(new Set(credentials.map((each) => each[name])).size, name).toBe(2);
  }
  for (const each of credentials) {
    expect(new X509Certificate(String(each['client-certificate'])).subjectAltName).toBe(`URI:${String(each['spiffe-id'])}`);
  }
  await broker.unbind(instance, first, broker.del('basic'));
  expect(await inMesh(broker, first)).toEqual([]);
  expect(await inMesh(broker, second)).not.toEqual([]);
});

check('BND-15', async (broker) => {
  for (const body of await everyBinding(broker)) {
    const endpoints = body['endpoints'] as readonly Body[];
    const { host, port } = object(body['credentials']);
    expect(endpoints.length).toBeGreaterThan(0);
    expect(endpoints.some((each) => each['host'] === host && (each['ports'] as readonly unknown[]).includes(port))).toBe(true);
  }
});

check('BND-16', async (broker) => {
  for (const body of await everyBinding(broker)) {
    for (const endpoint of body['endpoints'] as readonly Body[]) {
      expect(endpoint['host']).toMatch(/^[a-z0-9.-]+$/);
      expect((endpoint['ports'] as readonly unknown[]).length).toBeGreaterThan(0);
      for (const port of endpoint['ports'] as readonly unknown[]) expect(port).toMatch(/^\d{1,5}(-\d{1,5})?$/);
      expect(['tcp', 'udp', 'all', undefined]).toContain(endpoint['protocol']);
      expect(Object.keys(endpoint).filter((key) => !['host', 'ports', 'protocol'].includes(key))).toEqual([]);
    }
  }
});

const metadataOf = (bodies: readonly Body[]): readonly Body[] =>
  bodies.flatMap(({ metadata }) => (metadata === undefined ? [] : [metadata as Body]));

check('BND-17', async (broker) => {
  const metadata = metadataOf(await everyBinding(broker));
  expect(metadata.length).toBeGreaterThan(0);
  for (const each of metadata) expect(Object.keys(each).sort()).toEqual(['expires_at', 'renew_before']);
});

check('BND-18', async (broker) => {
  for (const body of await everyBinding(broker)) {
    for (const value of Object.values((body['metadata'] ?? {}) as Body)) {
      expect(value).toMatch(moment);
      expect(new Date(String(value)).toISOString()).toBe(value);
    }
  }
});

check('BND-19', async (broker) => {
  for (const each of metadataOf(await everyBinding(broker))) {
    const [expires, renew] = [Date.parse(String(each['expires_at'])), Date.parse(String(each['renew_before']))];
    expect(expires - renew).toBeGreaterThan(60_000);
    expect(renew).toBeGreaterThan(Date.now());
  }
});

check('BND-20', async (broker) => {
  const instance = await broker.ready('basic');
  const binding = await broker.bound(instance, 'basic');
  await broker.rows(`update service_binding set expires_at = clock_timestamp(), renew_before = clock_timestamp() where binding_id = $1`, [
    binding,
  ]);
  for (const until = performance.now() + 10_000; (await inMesh(broker, binding)).length > 0 && performance.now() < until;) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(await inMesh(broker, binding)).toEqual([]);
  expect((await broker.bind(instance, broker.fresh('b'), { predecessor_binding_id: binding })).status).toBe(400);
  expect((await broker.unbind(instance, binding, broker.del('basic'))).status).toBe(200);
});

check('BND-22', async (broker) => {
  const instance = await broker.ready('hang-update');
  await broker.patch(instance, { service_id: broker.ids('hang-update').service_id });
  const refused = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('hang-update'), parameters: inWeb });
  expect([refused.status, refused.body['error']]).toEqual([422, 'ConcurrencyError']);
});

check('BND-23', async (broker) => {
  const [instance, none] = [await broker.ready('queued'), broker.fresh('none')];
  const binding = await broker.bound(instance, 'queued');
  const wrong = { service_id: 'x', plan_id: 'y', parameters: { contact: 7 } };
  const ids = broker.ids('queued');
  const tell = async (answer: Promise<Answer>): Promise<readonly unknown[]> => [(await answer).status, (await answer).body['error']];
  const old = { version: '2.1' };
  expect(await tell(broker.bind(none, 'b', '{', 'accepts_incomplete=x', { login: null, ...old }))).toEqual([401, 'Unauthorized']);
  expect(await tell(broker.bind(none, 'b', '{', 'accepts_incomplete=x', old))).toEqual([412, 'UnsupportedApiVersion']);
  expect(await tell(broker.bind(instance, binding, { ...wrong, plan_id: '' }, ''))).toEqual([400, 'BadRequest']);
  expect(await tell(broker.bind(instance, binding, wrong, ''))).toEqual([409, 'Conflict']);
  expect(await tell(broker.bind(none, broker.fresh('b'), wrong, ''))).toEqual([400, 'BadRequest']);
  expect(await tell(broker.bind(none, broker.fresh('b'), { ...wrong, ...ids }, ''))).toEqual([404, 'NotFound']);
  expect(await tell(broker.bind(instance, broker.fresh('b'), { ...ids, parameters: { contact: 7 } }, ''))).toEqual([422, 'AsyncRequired']);
  expect(await tell(broker.bind(instance, broker.fresh('b'), { ...ids, parameters: { nobody: 7 } }))).toEqual([400, 'BadRequest']);
});

check('BND-24', async (broker) => {
  const [instance, other] = [await broker.ready('basic'), await broker.ready('basic')];
  const binding = await broker.bound(instance, 'basic');
  const refused = await broker.bind(other, binding, { ...broker.ids('basic'), parameters: inWeb });
  expect([refused.status, refused.body['error']]).toEqual([409, 'Conflict']);
  expect((await broker.unbind(other, binding, query(broker.ids('basic')))).status).toBe(410);
  expect((await broker.fetchBinding(instance, binding)).status).toBe(200);
  expect(await inMesh(broker, binding)).not.toEqual([]);
});

check('BTY-04', async (broker) => {
  for (const service of await broker.services()) expect(service['requires'] ?? []).toEqual([]);
  for (const body of await everyBinding(broker)) {
    expect(Object.keys(body).filter((key) => !['credentials', 'endpoints', 'metadata', 'parameters'].includes(key))).toEqual([]);
  }
});
