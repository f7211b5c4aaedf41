import ajvDraft04 from 'ajv-draft-04';
import { expect } from 'vitest';
import { toOsbError } from '../../src/api/osb/errors.ts';
import { BrokerError } from '../../src/kernel/errors.ts';
import { AI, conformance, inWeb, object, query, type Answer, type Body, type Broker } from './broker.ts';
import { everyOperation } from './operations.ts';

const check = conformance();
const semantic = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** The first minor version that knows each field. */
const since = {
  service: { instances_retrievable: 14, bindings_retrievable: 14, allow_context_updates: 15 },
  plan: { schemas: 13, maintenance_info: 15, maximum_polling_duration: 15, plan_updateable: 15, binding_rotatable: 17 },
  binding: { endpoints: 15, metadata: 16 },
  bindingMetadata: { renew_before: 17 },
  instance: { metadata: 16, maintenance_info: 17 },
  instanceMetadata: { attributes: 17 },
} as const;
const tooNew = (what: keyof typeof since, object: Body, minor: number): readonly string[] =>
  Object.entries(since[what]).flatMap(([key, first]) => (key in object && minor < first ? [`${what}.${key}`] : []));
const missing = (what: keyof typeof since, object: Body, minor: number): readonly string[] =>
  Object.entries(since[what]).flatMap(([key, first]) => (!(key in object) && minor >= first ? [`${what}.${key}`] : []));

async function allPlans(broker: Broker): Promise<readonly Body[]> {
  return (await broker.services()).flatMap((service) => service.plans);
}

check('INT-01', async (broker) => {
  for (const minor of [11, 12, 13, 14, 15, 16, 17, 99]) {
    const call = { version: `2.${minor}` };
    for (const service of await broker.services(call.version)) {
      expect([...tooNew('service', service, minor), ...missing('service', service, minor)]).toEqual([]);
      for (const plan of service.plans) expect(tooNew('plan', plan, minor)).toEqual([]);
      const basic = service.plans.find(({ name }) => name === 'basic');
      if (basic !== undefined) expect(missing('plan', { maximum_polling_duration: 1, ...basic }, minor)).toEqual([]);
    }
    const [instance, binding] = [broker.fresh(), broker.fresh('b')];
    const made = await broker.put(instance, broker.order('basic'), AI, call);
    const fetched = await broker.fetch(instance, '', call);
    const bound = await broker.bind(instance, binding, { ...broker.ids('basic'), parameters: inWeb }, AI, call);
    const boundAgain = await broker.fetchBinding(instance, binding, '', call);
    expect([made.status, fetched.status, bound.status, boundAgain.status]).toEqual([201, 200, 201, 200]);
    expect(missing('instance', fetched.body, minor)).toEqual([]);
    for (const { body } of [made, fetched]) {
      expect(tooNew('instance', body, minor)).toEqual([]);
      expect(tooNew('instanceMetadata', object(body['metadata'] ?? {}), minor)).toEqual([]);
    }
    for (const { body } of [bound, boundAgain]) {
      expect([...tooNew('binding', body, minor), ...missing('binding', body, minor)]).toEqual([]);
      expect(tooNew('bindingMetadata', object(body['metadata'] ?? {}), minor)).toEqual([]);
    }
  }
});

check('INT-02', async (broker) => {
  const order = { parameters: null, context: null, maintenance_info: null };
  const bind = { parameters: null, context: null, bind_resource: { app_guid: '' }, app_guid: '' };
  const [instance, binding] = [broker.fresh(), broker.fresh('b')];
  const { service_id } = broker.ids('basic');
  expect((await broker.put(instance, broker.order('basic', order))).status).toBe(201);
  expect((await broker.put(instance, broker.order('basic', { parameters: {} }))).status).toBe(200);
  expect((await broker.put(instance, broker.order('basic'))).status).toBe(200);
  expect((await broker.patch(instance, { service_id, ...order, previous_values: null })).status).toBe(200);
  expect((await broker.bind(instance, binding, { ...broker.ids('basic'), ...bind })).status).toBe(201);
  expect((await broker.bind(instance, binding, broker.ids('basic'))).status).toBe(200);
  expect((await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), bind_resource: null, app_guid: null })).status).toBe(
    201,
  );
});

check('INT-03', async (broker) => {
  const { body: waiting } = await broker.put(broker.fresh(), broker.order('queued'), '');
  expect(waiting).toEqual({
    error: 'AsyncRequired',
    description: 'This service plan requires client support for asynchronous service operations.',
  });
  const busy = await broker.ready('hang-update');
  await broker.patch(busy, { service_id: broker.ids('hang-update').service_id });
  const { body: refused } = await broker.patch(busy, { service_id: broker.ids('hang-update').service_id, parameters: { a: 1 } });
  expect(refused).toEqual({
    error: 'ConcurrencyError',
    description: 'The Service Broker does not support concurrent requests that mutate the same resource.',
  });
  expect(toOsbError(new BrokerError('requires-app', 'any'), 'serviceBinding.binding')).toMatchObject({
    status: 422,
    body: { error: 'RequiresApp', description: 'This service supports generation of credentials through binding an application only.' },
  });
});

check('INT-04', async (broker) => {
  const instance = await broker.ready('basic');
  const binding = await broker.bound(instance, 'basic');
  await broker.unbind(instance, binding, broker.del('basic'));
  const again = await broker.unbind(instance, binding, broker.del('basic'));
  expect(again.status).toBe(410);
  expect(object(JSON.parse(again.text))['description']).toMatch(/./);
});

check('INT-05', async (broker) => {
  const repeat = async (send: () => Promise<Answer>): Promise<Answer> => {
    const operations = new Set<string>();
    for (const until = performance.now() + 15_000; performance.now() < until;) {
      const answer = await send();
      if (answer.status !== 202) {
        expect(operations.size).toBeLessThanOrEqual(1);
        return answer;
      }
      operations.add(answer.operation);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it stayed at 202');
  };
  for (const plan of ['slow', 'queued', 'basic']) {
    const [instance, binding] = [broker.fresh(), broker.fresh('b')];
    const order = { ...broker.order(plan), parameters: null };
    expect((await repeat(() => broker.put(instance, order))).status).toBe(plan === 'basic' ? 201 : 200);
    const body = { ...broker.ids(plan), parameters: null, bind_resource: { app_guid: '' } };
    const bound = await repeat(() => broker.bind(instance, binding, body));
    expect(bound.status).toBe(plan === 'basic' ? 201 : 200);
    expect(object(bound.body['credentials'])['uri']).toMatch(/:\/\//);
  }
});

check('INT-06', async (broker) => {
  for (const plan of ['queued', 'slow', 'hang-delete']) {
    const instance = await broker.ready(plan);
    const both = await Promise.all([broker.remove(instance, broker.del(plan)), broker.remove(instance, broker.del(plan))]);
    const accepted = both.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ operation }) => operation)).size).toBe(1);
    if (plan !== 'queued') expect(accepted).toHaveLength(2);
    else for (const { status } of both) expect([202, 410]).toContain(status); // the first may be done before the second comes
  }
});

check('INT-07', async (broker) => {
  const nulls = (value: unknown): boolean =>
    value === null || (typeof value === 'object' && Object.values(value).some((each) => nulls(each)));
  for (const plan of ['basic', 'queued', 'slow']) {
    for (const { what, send } of await everyOperation(broker, plan)) {
      const { status, body, text } = await send();
      expect(JSON.parse(text)).toBeTypeOf('object');
      if (status === 202) expect(body['operation'], what).toMatch(/^.{1,10000}$/);
      if (what !== 'catalog') expect(nulls(body), `${what}: ${text}`).toBe(false);
      for (const each of broker.statuses) expect(each).not.toBe(204);
    }
  }
  expect((await broker.poll(broker.fresh('none'))).status).toBe(404);
});

check('INT-08', async (broker) => {
  const services = await broker.services();
  expect(services.length).toBeGreaterThan(0);
  for (const service of services) {
    expect(String(service['description']).length).toBeLessThanOrEqual(10_000);
    expect(((service['tags'] ?? []) as readonly string[]).join('').length).toBeLessThanOrEqual(2_048);
    expect(service).not.toHaveProperty('dashboard_client');
    expect(['boolean', 'undefined']).toContain(typeof object(service['metadata'])['shareable']);
    for (const plan of service.plans) {
      if (plan['maintenance_info'] === undefined) continue;
      const { version, description, ...more } = object(plan['maintenance_info']);
      expect(version).toMatch(semantic);
      expect([more, ['string', 'undefined'].includes(typeof description)]).toEqual([{}, true]);
      expect(JSON.stringify(plan['maintenance_info']).length).toBeLessThanOrEqual(2_000);
    }
  }
});

check('INT-09', async (broker) => {
  for (const plan of await allPlans(broker)) {
    const { service_instance: instance, service_binding: binding } = plan['schemas'] as Record<string, Record<string, Body>>;
    for (const { parameters } of [instance?.['create'], instance?.['update'], binding?.['create']] as Body[]) {
      const schema = object(parameters);
      expect(schema['$schema']).toBe('http://json-schema.org/draft-04/schema#');
      const ajv = new ajvDraft04.default({ strict: false });
      expect(ajv.validateSchema(schema), JSON.stringify(ajv.errors)).toBe(true);
      expect(() => ajv.compile(schema)).not.toThrow();
    }
  }
});

check('INT-10', async (broker) => {
  for (const service of await broker.services()) {
    for (const { id } of [service, ...service.plans]) expect(id.length).toBeLessThanOrEqual(63);
  }
});

check('INT-11', async (broker) => {
  const instance = await broker.ready('basic');
  for (const answer of [
    await broker.put(broker.fresh(), {}),
    await broker.put(instance, broker.order('premium')),
    await broker.remove(broker.fresh('none'), broker.del('basic')),
  ]) {
    expect([400, 409, 410]).toContain(answer.status);
    expect(object(JSON.parse(answer.text))).toMatchObject({
      error: expect.any(String) as string,
      description: expect.any(String) as string,
    });
  }
  for (const each of [...(await broker.services()), ...(await allPlans(broker))]) {
    const metadata = object(each['metadata'] ?? {});
    expect(metadata['listing'] ?? '').toBeTypeOf('string');
    expect(Object.keys(object(metadata['provider'] ?? {})).filter((key) => key !== 'name')).toEqual([]);
  }
});

check('INT-12', async (broker) => {
  const instance = broker.fresh();
  const { operation } = await broker.put(instance, broker.order('queued'));
  expect(encodeURIComponent(operation)).toBe(operation);
  expect((await broker.endOf(instance, operation)).body['state']).toBe('succeeded');
  const basic = await broker.ready('basic');
  expect((await broker.bind(basic, 'eden', broker.ids('basic'), '')).status).toBe(201);
  expect((await broker.unbind(basic, 'eden', query(broker.ids('basic')))).status).toBe(200);
  const gone = await broker.remove(instance, broker.del('queued'));
  const poll = await broker.endOf(instance, gone.operation);
  expect([poll.status, poll.body['state']]).toEqual([200, 'succeeded']);
});

check('INT-13', async (broker) => {
  const headers = { 'content-type': 'application/json' };
  for (const { what, send } of await everyOperation(broker)) expect((await send({ headers })).status, what).toBeLessThan(300);
});

check('INT-14', async (broker) => {
  const headers = {
    'x-api-info-location': 'api.example.com/v2/info',
    'x-vcap-request-id': '8de4ae66-3bd1-4b0c-b1d1-6a4b1d5e1d6f::1',
    b3: '80f198ee56343ba8-e457b5a2e4d86bd1-1',
    'x-b3-traceid': '80f198ee56343ba8',
    'x-b3-spanid': 'e457b5a2e4d86bd1',
    'x-forwarded-for': '192.0.2.1',
    'user-agent': 'HTTPClient/1.0',
  };
  for (const { what, send } of await everyOperation(broker)) expect((await send({ headers })).status, what).toBeLessThan(300);
});

check('INT-15', async (broker) => {
  const instance = await broker.ready('plain');
  for (const bind_resource of [undefined, {}, { credential_client_id: 'key' }]) {
    const answer = await broker.bind(instance, broker.fresh('key'), { ...broker.ids('plain'), bind_resource });
    expect(answer.status).toBe(201);
  }
  for (const status of broker.statuses) expect(status < 300 || status >= 400).toBe(true);
});

check('INT-16', async (broker) => {
  for (const minor of [13, 14, 15, 16, 17]) {
    for (const service of await broker.services(`2.${minor}`)) {
      for (const plan of service.plans) {
        expect([typeof plan['free'], typeof plan['bindable']]).toEqual(['boolean', 'boolean']);
        expect(typeof plan['plan_updateable']).toBe(minor < 15 ? 'undefined' : 'boolean');
      }
    }
  }
});
