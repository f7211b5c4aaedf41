import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AI, Broker, inWeb, query } from './broker.ts';

let broker: Broker;
let instance = '';
let binding = '';
beforeAll(async () => {
  broker = await Broker.open();
  instance = await broker.ready('basic', { parameters: { size: 1 } });
  binding = await broker.bound(instance, 'basic');
});
afterAll(() => broker.app.close());

const text = ['service_id', 'plan_id', 'organization_guid', 'space_guid'];
const objects = ['parameters', 'context', 'maintenance_info'];
const notText = [1, true, [], {}, ['x'], 1e300];
const notObject = [1, true, 'x', [], [{}]];

/** Fields that update and bind have in common. */
const ofBoth = [
  ['service_id', [...notText, null, '']],
  ['plan_id', [...notText, null, '']],
  ['parameters', notObject],
  ['context', notObject],
] as const;

/** The refusal names the field, and nothing was made. */
async function refused(field: string, send: () => ReturnType<Broker['call']>): Promise<void> {
  const count = (): Promise<unknown> =>
    broker.rows('select (select count(*) from operation) as operations, (select count(*) from service_binding) as bindings');
  const before = await count();
  const answer = await send();
  expect(answer.status, answer.text).toBe(400);
  expect(answer.body['description']).toContain(field);
  expect(await count()).toEqual(before);
}

describe('a value of a wrong type is refused by the name of its field', () => {
  test.each([...text.map((field) => [field, notText] as const), ...objects.map((field) => [field, notObject] as const)])(
    'provision: %s',
    async (field, values) => {
      for (const value of values) await refused(field, () => broker.put(broker.fresh(), broker.order('basic', { [field]: value })));
    },
  );
  test.each([...ofBoth, ['maintenance_info', notObject]] as const)('update: %s', async (field, values) => {
    const service = { service_id: broker.ids('basic').service_id };
    for (const value of values) await refused(field, () => broker.patch(instance, { ...service, [field]: value }));
  });
  test.each([...ofBoth, ['bind_resource', notObject], ['app_guid', notText], ['predecessor_binding_id', notText]] as const)(
    'bind: %s',
    async (field, values) => {
      const order = { ...broker.ids('basic'), parameters: inWeb };
      for (const value of values) await refused(field, () => broker.bind(instance, broker.fresh('b'), { ...order, [field]: value }));
    },
  );
  test('maintenance_info.version', async () => {
    for (const value of [1, true, [], {}])
      await refused('version', () => broker.put(broker.fresh(), broker.order('basic', { maintenance_info: { version: value } })));
  });
  test('a query parameter that comes twice or empty', async () => {
    const ids = broker.ids('basic');
    for (const search of [`service_id=a&${query(ids)}`, `${query(ids)}&plan_id=a`, `service_id=&plan_id=${ids.plan_id}`]) {
      const field = search.includes('plan_id=a') ? 'plan_id' : 'service_id';
      await refused(field, () => broker.remove(instance, search));
      await refused(field, () => broker.unbind(instance, binding, search));
    }
  });
});

test('previous_values of any shape change nothing', async () => {
  for (const value of [null, 1, 'x', [], { plan_id: [] }]) {
    const body = { service_id: broker.ids('basic').service_id, previous_values: value };
    expect((await broker.patch(instance, body)).status, JSON.stringify(value)).toBe(200);
  }
});

test('an id of more than 1,024 bytes is refused, one of 1,024 is only unknown', async () => {
  for (const [id, status] of [
    ['x'.repeat(1_025), 400],
    ['ü'.repeat(513), 400],
    ['x'.repeat(1_024), 404],
    ['ü'.repeat(512), 404],
  ] as const) {
    expect((await broker.fetch(id)).status).toBe(status);
    expect((await broker.fetchBinding(instance, id)).status).toBe(status);
  }
  const long = 'x'.repeat(1_025);
  expect((await broker.put(long, broker.order('basic'))).status).toBe(400);
  expect((await broker.bind(instance, long, { ...broker.ids('basic'), parameters: inWeb })).status).toBe(400);
  expect((await broker.bind(instance, broker.fresh('b'), { predecessor_binding_id: long })).status).toBe(400);
  expect((await broker.poll(instance, `${AI}&operation=${'x'.repeat(10_001)}`)).status).toBeLessThan(500);
});
