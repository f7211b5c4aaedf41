import { connect } from 'node:net';
import { expect } from 'vitest';
import { AI, conformance, inWeb, object, query, type Body } from './broker.ts';

const check = conformance();
const more = { x_foo: 1, nested: { deep: [null, { a: 'b' }] } };
const oddIds = [
  'a/b ü',
  'ä'.repeat(127),
  'x'.repeat(255),
  '.',
  '..',
  '%2F%25?#&=+;',
  '"\'<>\\^`{|}',
  '\u{1f600}\u202e\u200d',
  'last_operation',
  'a\tb\u007f',
  '0',
  'null',
];

check('EXT-01', async (broker) => {
  const ids = broker.ids('basic');
  const bodies = {
    provision: { ...more, context: { platform: 'martian', ...more }, maintenance_info: { version: '1.0.0', ...more } },
    update: { service_id: ids.service_id, ...more, previous_values: { ...more, plan_id: 7 }, context: more },
    bind: { ...ids, ...more, bind_resource: { app_guid: 'a', ...more }, context: more, parameters: inWeb },
  };
  const instance = broker.fresh();
  const binding = broker.fresh('b');
  expect((await broker.put(instance, broker.order('basic', bodies.provision))).status).toBe(201);
  expect((await broker.patch(instance, bodies.update)).status).toBe(200);
  expect((await broker.bind(instance, binding, bodies.bind)).status).toBe(201);
  expect((await broker.bind(instance, binding, bodies.bind)).status).toBe(200);
});
check('EXT-02', async (broker) => {
  const service = ['name', 'id', 'description', 'tags', 'requires', 'bindable', 'instances_retrievable', 'bindings_retrievable', 'allow_context_updates', 'metadata', 'dashboard_client', 'plan_updateable', 'plans']; // prettier-ignore
  const plan = ['id', 'name', 'description', 'metadata', 'free', 'bindable', 'binding_rotatable', 'plan_updateable', 'schemas', 'maximum_polling_duration', 'maintenance_info']; // prettier-ignore
  const profile = ['displayName', 'imageUrl', 'longDescription', 'providerDisplayName', 'documentationUrl', 'supportUrl', 'shareable', 'bullets', 'costs']; // prettier-ignore
  const beyond = (body: Body, known: readonly string[]): readonly string[] =>
    Object.keys(body).filter((key) => !known.includes(key) && !/^x[-_]/.test(key));
  for (const each of await broker.services()) {
    expect([...beyond(each, service), ...beyond(object(each['metadata']), profile)]).toEqual([]);
    for (const one of each.plans) expect([...beyond(one, plan), ...beyond(object(one['metadata']), profile)]).toEqual([]);
  }
  const instance = broker.fresh();
  const binding = broker.fresh('b');
  const made = await broker.put(instance, broker.order('basic'));
  const bound = await broker.bind(instance, binding, { ...broker.ids('basic'), parameters: inWeb });
  expect(beyond(made.body, ['operation', 'dashboard_url', 'metadata'])).toEqual([]);
  expect(beyond((await broker.fetch(instance)).body, ['service_id', 'plan_id', 'parameters', 'maintenance_info', 'metadata'])).toEqual([]);
  expect(beyond(bound.body, ['credentials', 'endpoints', 'metadata', 'parameters'])).toEqual([]);
});
check('EXT-03', async (broker) => {
  const instance = await broker.ready('basic');
  const binding = await broker.bound(instance, 'basic');
  const search = 'foo=1&foo=2&bar[]=3&%C3%BC';
  expect((await broker.call('GET', `/v2/catalog?${search}`)).status).toBe(200);
  for (const answer of [
    await broker.fetch(instance, search),
    await broker.poll(instance, search),
    await broker.fetchBinding(instance, binding, search),
    await broker.pollBinding(instance, binding, search),
    await broker.put(instance, broker.order('basic'), `${AI}&${search}`),
    await broker.patch(instance, { service_id: broker.ids('basic').service_id }, `${AI}&${search}`),
    await broker.unbind(instance, binding, `${broker.del('basic')}&${search}`),
    await broker.remove(instance, `${broker.del('basic')}&${search}`),
  ])
    expect(answer.status).toBe(200);
});
check('URL-01', async (broker) => {
  const ids = broker.ids('basic');
  for (const id of oddIds.filter((each) => each !== '.' && each !== '..')) {
    const body = broker.order('basic', { organization_guid: id, space_guid: id });
    expect((await broker.put(id, body)).status, id).toBe(201);
    expect((await broker.bind(id, id, { ...ids, parameters: inWeb, bind_resource: { app_guid: id } })).status, id).toBe(201);
    expect((await broker.fetch(id)).status).toBe(200);
    expect((await broker.poll(id, `operation=${encodeURIComponent(id)}`)).status).toBe(200);
    expect((await broker.fetchBinding(id, id)).status).toBe(200);
    expect(await broker.rows('select 1 from service_instance where instance_id = $1', [id])).toHaveLength(1);
    expect((await broker.unbind(id, id, query(ids))).status).toBe(200);
    expect((await broker.remove(id, query(ids))).status).toBe(200);
    expect((await broker.fetch(id)).status).toBe(404);
  }
  // Clients resolve dots in a path themselves, so they are sent as bytes.
  for (const dots of ['%2e', '%2E%2e', '%2e%2e%2fx']) {
    expect(await statusOf(broker.app.url, 'PUT', dots, JSON.stringify(broker.order('basic')))).toBe(201);
    expect(await statusOf(broker.app.url, 'GET', dots)).toBe(200);
  }
  const unknown = oddIds.map((id) => encodeURIComponent(id));
  for (const id of unknown)
    for (const field of ['service_id', 'plan_id'])
      expect((await broker.put('u', broker.order('basic', { [field]: decodeURIComponent(id) }))).status).toBe(400);

  function statusOf(url: string, method: string, id: string, body = ''): Promise<number> {
    const { hostname, port } = new URL(url);
    const { user, password } = broker.app.platform;
    const lines = [
      `${method} /v2/service_instances/${id} HTTP/1.1`,
      `Host: ${hostname}`,
      'Connection: close',
      'X-Broker-API-Version: 2.17',
      `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      ...(body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`]),
    ];
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString())).on('error', reject);
      socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])));
    });
  }
});
check('URL-02', async (broker) => {
  const unreserved = /^[A-Za-z0-9._~-]{1,255}$/;
  for (const { id, plans } of await broker.services()) {
    expect(id).toMatch(unreserved);
    for (const plan of plans) expect(plan.id).toMatch(unreserved);
  }
  const instance = broker.fresh();
  const binding = broker.fresh('b');
  expect((await broker.put(instance, broker.order('queued'))).operation).toMatch(unreserved);
  await broker.endOf(instance);
  const bound = await broker.bind(instance, binding, { ...broker.ids('queued'), parameters: inWeb });
  expect(bound.operation).toMatch(unreserved);
});
check('URL-03', async (broker) => {
  const instance = await broker.ready('basic');
  for (const path of ['/v2/service_instances/', '/v2/service_instances//', '/v2/service_instances//service_bindings/b']) {
    for (const method of ['PUT', 'GET', 'DELETE'])
      expect([404, 405], path).toContain(
        (await broker.call(method, path, { ...(method === 'PUT' ? { body: broker.order('basic') } : {}) })).status,
      );
  }
  const empty = `${broker.instancePath(instance)}/service_bindings/`;
  expect([404, 405]).toContain((await broker.call('PUT', empty, { body: { ...broker.ids('basic'), parameters: inWeb } })).status);
  expect(await broker.rows(`select 1 from service_instance where instance_id = ''`)).toEqual([]);
  expect(await broker.rows(`select 1 from service_binding where binding_id = ''`)).toEqual([]);
});
check('URL-04', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = await broker.ready(plan);
    const binding = await broker.bound(instance, plan);
    const first = (await broker.fetchBinding(instance, binding)).body;
    const removed = await broker.unbind(instance, binding, broker.del(plan));
    if (removed.status === 202) await broker.endOfBinding(instance, binding);
    await broker.bound(instance, plan, { parameters: inWeb }, binding);
    expect((await broker.fetchBinding(instance, binding)).body['credentials']).not.toEqual(first['credentials']);
    await broker.gone(instance, plan);
    await broker.ready('standard', {}, instance);
    expect((await broker.fetch(instance)).body['service_id']).toBe(broker.ids('standard').service_id);
    await broker.bound(instance, 'standard', { parameters: inWeb }, binding);
  }
});
check('STR-01', async (broker) => {
  for (const service of await broker.services()) {
    const texts = service.plans.flatMap((plan) => [plan.name, plan['description'], object(plan['metadata'])['displayName']]);
    for (const text of [service.name, service['description'], ...texts]) expect(String(text).length).toBeLessThanOrEqual(255);
  }
});
