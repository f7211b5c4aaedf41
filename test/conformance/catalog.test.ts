import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { hasErrors, lintCatalog } from '../../src/catalog/lint-catalog.ts';
import {
  AI,
  Broker,
  catalogDirectory,
  conformance,
  inWeb,
  object,
  query,
  type Body,
  type CatalogPlan,
  type CatalogService,
} from './broker.ts';

const check = conformance();
let services: readonly CatalogService[] = [];
let plans: readonly CatalogPlan[] = [];
const load = async (broker: Broker): Promise<void> => {
  if (services.length > 0) return;
  services = await broker.services();
  plans = services.flatMap((service) => service.plans);
};
beforeAll(() => void (services = []));
const unique = (values: readonly unknown[]): void => expect(new Set(values).size).toBe(values.length);
const schemasOf = (plan: CatalogPlan): readonly Body[] => {
  const { service_instance: instance, service_binding: binding } = object(plan['schemas']);
  const [create, update, bind] = [object(instance)['create'], object(instance)['update'], object(binding)['create']];
  return [create, update, bind].map((one) => object(object(one)['parameters']));
};
/** Every value in a document with its key. */
function* everything(value: unknown, key = ''): Generator<readonly [key: string, value: unknown]> {
  yield [key, value];
  if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) yield* everything(item, Array.isArray(value) ? key : name);
}

check('CAT-01', async (broker) => {
  const answer = await broker.call('GET', '/v2/catalog');
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.body)).toEqual(['services']);
  expect(Array.isArray(answer.body['services'])).toBe(true);
});
check('CAT-02', async (broker) => {
  await load(broker);
  const ids = services.map(({ id }) => id);
  unique(ids);
  for (const id of ids) expect(id).toMatch(/./);
  const second = await Broker.open();
  try {
    expect((await second.services()).map(({ id }) => id)).toEqual(ids);
  } finally {
    await second.app.close();
  }
});
check('CAT-03', async (broker) => {
  await load(broker);
  unique(services.map(({ name }) => name));
  for (const { name } of services) expect(name).toMatch(/^[a-z0-9-]+$/);
});
check('CAT-04', async (broker) => {
  await load(broker);
  for (const { description } of services) expect(description).toMatch(/./);
});
check('CAT-05', async (broker) => {
  await load(broker);
  for (const { bindable } of services) expect(bindable).toBeTypeOf('boolean');
});
check('CAT-06', async (broker) => {
  await load(broker);
  for (const service of services) expect(service.plans.length).toBeGreaterThan(0);
  // A service whose plans are all for training is not listed where training is off.
  const plain = await Broker.open({ environment: { MESHBROKER_TRAINING: 'false' } });
  try {
    const names = (await plain.services()).map(({ name, plans: its }) => [name, its.length]);
    expect(Object.fromEntries(names)).toEqual({ orders: 5, payments: 2, training: 1 });
  } finally {
    await plain.app.close();
  }
});
check('CAT-07', async (broker) => {
  await load(broker);
  for (const { tags } of services) {
    for (const tag of tags as readonly unknown[]) expect(tag).toBeTypeOf('string');
    expect((tags as readonly string[]).join('').length).toBeLessThanOrEqual(2_048);
  }
});
check('CAT-08', async (broker) => {
  await load(broker);
  const known = ['syslog_drain', 'route_forwarding', 'volume_mount'];
  for (const { requires = [] } of services as readonly { requires?: readonly string[] }[])
    expect(requires.filter((one) => !known.includes(one))).toEqual([]);
});
check('CAT-09', async (broker) => {
  await load(broker);
  const needs = { syslog_drain_url: 'syslog_drain', route_service_url: 'route_forwarding', volume_mounts: 'volume_mount' };
  for (const plan of ['basic', 'premium', 'plain', 'queued', 'standard', 'ordinary']) {
    const instance = await broker.ready(plan);
    const bound = await broker.fetchBinding(instance, await broker.bound(instance, plan));
    const { requires = [] } = services.find(({ id }) => id === broker.ids(plan).service_id) as { requires?: readonly string[] };
    for (const [field, need] of Object.entries(needs)) if (field in bound.body) expect(requires, plan).toContain(need);
  }
});
check('CAT-10', async (broker) => {
  await load(broker);
  for (const service of services) expect(service['instances_retrievable']).toBe(true);
  for (const plan of ['basic', 'queued', 'standard', 'ordinary']) expect((await broker.fetch(await broker.ready(plan))).status).toBe(200);
});
check('CAT-11', async (broker) => {
  await load(broker);
  for (const service of services) expect(service['bindings_retrievable']).toBe(true);
  for (const plan of ['basic', 'queued', 'standard', 'ordinary']) {
    const instance = await broker.ready(plan);
    expect((await broker.fetchBinding(instance, await broker.bound(instance, plan))).body).toHaveProperty('credentials');
  }
});
check('CAT-12', async (broker) => {
  await load(broker);
  for (const service of services) expect(service['allow_context_updates']).toBe(true);
  const context = { platform: 'cloudfoundry', instance_name: 'renamed' };
  for (const [plan, status] of [
    ['plain', 200],
    ['standard', 200],
    ['queued', 202],
  ] as const) {
    const instance = await broker.ready(plan);
    expect((await broker.patch(instance, { service_id: broker.ids(plan).service_id, context })).status).toBe(status);
    expect((await broker.endOf(instance)).body['state']).toBe('succeeded');
    const rows = await broker.rows<{ context: unknown }>('select context from service_instance where instance_id = $1', [instance]);
    expect(rows[0]?.context).toEqual(context);
  }
});
check('CAT-13', async (broker) => {
  await load(broker);
  for (const { metadata } of services) expect(Array.isArray(object(metadata))).toBe(false);
});
check('CAT-14', async (broker) => {
  await load(broker);
  for (const service of services) expect(service).not.toHaveProperty('dashboard_client');
});
check('CAT-15', async (broker) => {
  await load(broker);
  for (const [key] of everything(services)) expect(key).not.toBe('plan_updatable');
  const told = services.map(({ name, plan_updateable: updateable }) => [name, updateable]);
  expect(Object.fromEntries(told)).toEqual({ orders: true, payments: false, training: true });
});
check('CAT-16', async (broker) => {
  await load(broker);
  const ids = plans.map(({ id }) => id);
  unique([...ids, ...services.map(({ id }) => id)]);
  expect((await broker.services()).flatMap((service) => service.plans.map(({ id }) => id))).toEqual(ids);
});
check('CAT-17', async (broker) => {
  await load(broker);
  for (const service of services) unique(service.plans.map(({ name }) => name));
  for (const { name } of plans) expect(name).toMatch(/./);
});
check('CAT-18', async (broker) => {
  await load(broker);
  for (const { description } of plans) expect(description).toMatch(/./);
});
check('CAT-19', async (broker) => {
  await load(broker);
  for (const plan of plans) {
    expect(plan['free']).toBeTypeOf('boolean');
    if ('costs' in object(plan['metadata'])) expect(plan['free'], plan.name).toBe(false);
  }
  expect(plans.filter((plan) => plan['free'] === false).map(({ name }) => name)).toEqual(['premium']);
});
check('CAT-20', async (broker) => {
  await load(broker);
  expect(services.find(({ name }) => name === 'orders')?.['bindable']).toBe(true);
  expect(plans.find(({ name }) => name === 'closed')?.['bindable']).toBe(false);
  const instance = await broker.ready('closed');
  const answer = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('closed'), parameters: inWeb });
  expect(answer.status).toBe(400);
});
check('CAT-21', async (broker) => {
  await load(broker);
  for (const service of services) expect(service).not.toHaveProperty('binding_rotatable');
  const rotatable = plans.filter((plan) => plan['binding_rotatable'] === true).map(({ name }) => name);
  expect(rotatable.sort()).toEqual(['basic', 'premium', 'queued']);
  for (const plan of plans) expect(plan['binding_rotatable']).toBeTypeOf('boolean');
});
check('CAT-22', async (broker) => {
  await load(broker);
  expect(services.find(({ name }) => name === 'orders')?.['plan_updateable']).toBe(true);
  expect(plans.find(({ name }) => name === 'plain')?.['plan_updateable']).toBe(false);
  const [free, fixed] = [await broker.ready('basic'), await broker.ready('plain')];
  expect((await broker.patch(free, broker.ids('premium'))).status).toBe(200);
  expect((await broker.patch(fixed, broker.ids('premium'))).status).toBe(422);
});
check('CAT-23', async (broker) => {
  await load(broker);
  for (const { metadata } of plans) expect(Array.isArray(object(metadata))).toBe(false);
});
check('CAT-24', async (broker) => {
  await load(broker);
  const given = plans.filter((plan) => 'maximum_polling_duration' in plan);
  expect(given.map(({ name, maximum_polling_duration: seconds }) => [name, seconds])).toEqual([
    ['queued', 600],
    ['overdue', 1],
  ]);
});
check('CAT-25', async (broker) => {
  await load(broker);
  const given = plans.filter((plan) => 'maintenance_info' in plan);
  expect(given.map(({ name }) => name)).toEqual(['basic', 'premium', 'queued']);
  for (const plan of given) {
    const info = object(plan['maintenance_info']);
    expect(info['version']).toMatch(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/);
    expect(Object.keys(info).filter((key) => key !== 'version' && key !== 'description')).toEqual([]);
    expect(JSON.stringify(info).length).toBeLessThanOrEqual(2_000);
  }
});
check('CAT-26', async (broker) => {
  await load(broker);
  for (const plan of plans) {
    const schemas = object(plan['schemas']);
    expect(Object.keys(schemas).sort()).toEqual(['service_binding', 'service_instance']);
    expect(Object.keys(object(schemas['service_instance'])).sort()).toEqual(['create', 'update']);
    for (const schema of schemasOf(plan)) expect(schema['type']).toBe('object');
  }
  const basic = plans.find(({ name }) => name === 'basic');
  expect(basic === undefined ? {} : object(schemasOf(basic)[0]?.['properties'])).toHaveProperty('cost_center');
});
check('CAT-27', async (broker) => {
  await load(broker);
  for (const plan of plans) for (const schema of schemasOf(plan)) expect(schema['$schema']).toBe('http://json-schema.org/draft-04/schema#');
});
check('CAT-28', async (broker) => {
  await load(broker);
  for (const [key, value] of everything(plans.flatMap(schemasOf))) if (key === '$ref') expect(value).toMatch(/^#/);
  // What refers to elsewhere does not get into the catalogue in the first place.
  const directory = copyOfCatalog();
  const file = join(directory, 'payments.yaml');
  const remote = '$1\n    parameters: { provision: { type: object, properties: { a: { $$ref: "https://example.com/a.json" } } } }';
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(description: Pays at once\.)/, remote));
  expect(hasErrors(await lintCatalog(directory))).toBe(true);
  expect(hasErrors(await lintCatalog(catalogDirectory))).toBe(false);
  rmSync(directory, { recursive: true });
});
check('CAT-29', async (broker) => {
  await load(broker);
  for (const plan of plans)
    for (const schema of schemasOf(plan)) expect(Buffer.byteLength(JSON.stringify(schema))).toBeLessThanOrEqual(65_536);
});
const copyOfCatalog = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
  cpSync(catalogDirectory, directory, { recursive: true });
  return directory;
};
check('CAT-30', async () => {
  const directory = copyOfCatalog();
  const broker = await Broker.open({ environment: { MESHBROKER_CATALOG: directory } });
  try {
    const before = await broker.services();
    const instance = await broker.ready('standard');
    const binding = await broker.bound(instance, 'standard');
    rmSync(join(directory, 'payments.yaml'));
    await broker.app.app.tasks.find(({ name }) => name === 'catalog-refresh')?.activate(AbortSignal.timeout(10_000));
    const ids = (list: readonly CatalogService[]): readonly string[] =>
      list.flatMap(({ id, plans: its }) => [id, ...its.map((plan) => plan.id)]);
    const after = await broker.services();
    expect(ids(after).filter((id) => !ids(before).includes(id))).toEqual([]);
    expect(ids(after.filter(({ name }) => name !== 'payments'))).toEqual(ids(before.filter(({ name }) => name !== 'payments')));
    expect(ids(after)).toContain(broker.ids('standard').service_id);
    expect((await broker.put(broker.fresh(), broker.order('standard'))).status).toBe(400);
    expect((await broker.put(instance, broker.order('standard'))).status).toBe(200);
    expect((await broker.fetch(instance)).body).toMatchObject(broker.ids('standard'));
    expect((await broker.patch(instance, { service_id: broker.ids('standard').service_id, context: { a: 1 } })).status).toBe(200);
    await broker.bound(instance, 'standard');
    expect((await broker.unbind(instance, binding, query(broker.ids('standard')))).status).toBe(200);
    expect((await broker.remove(instance, query(broker.ids('standard')))).status).toBe(200);
  } finally {
    await broker.app.close();
    rmSync(directory, { recursive: true });
  }
});
check('CAT-31', async (broker) => {
  const first = await broker.call('GET', '/v2/catalog');
  const etag = first.headers.get('etag') ?? '';
  const modified = first.headers.get('last-modified') ?? '';
  expect(etag).toMatch(/^"[^"]+"$/);
  const vary = (first.headers.get('vary') ?? '').toLowerCase();
  for (const name of ['x-broker-api-version', 'accept-encoding', 'authorization']) expect(vary).toContain(name);
  for (const headers of [{ 'if-none-match': etag }, { 'if-none-match': `"x", W/${etag}` }, { 'if-modified-since': modified }]) {
    const again = await broker.call('GET', '/v2/catalog', { headers });
    expect([again.status, again.text]).toEqual([304, '']);
  }
  const stale: readonly Record<string, string>[] = [
    { 'if-none-match': '"other"' },
    { 'if-modified-since': 'Mon, 01 Jan 2001 00:00:00 GMT' },
  ];
  for (const headers of stale) expect((await broker.call('GET', '/v2/catalog', { headers })).status).toBe(200);
  const old = await broker.call('GET', '/v2/catalog', { version: '2.13', headers: { 'if-none-match': etag } });
  expect(old.status).toBe(200);
  const poll = await broker.poll(await broker.ready('basic'), '', { headers: { 'if-none-match': '*' } });
  expect([poll.status, poll.headers.get('etag'), poll.headers.get('cache-control')]).toEqual([200, null, 'no-store']);
});
check('CAT-32', async (broker) => {
  for (const version of ['2.11', '2.13', '2.14', '2.15', '2.17']) {
    // Each answer is held against openapi/osb.yaml, which has the types.
    const { body } = await broker.call('GET', '/v2/catalog', { version });
    for (const [key, value] of everything(body)) expect(value, `${version} ${key}`).not.toBeNull();
  }
});
check('CAT-33', async (broker) => {
  const [first, second] = [await broker.call('GET', '/v2/catalog'), await broker.call('GET', '/v2/catalog')];
  expect(second.text).toBe(first.text);
  const other = await Broker.open();
  try {
    expect((await other.call('GET', '/v2/catalog')).text).toBe(first.text);
    expect((await broker.put(broker.fresh(), broker.order('basic'), AI)).status).toBe(201);
    expect((await broker.call('GET', '/v2/catalog')).text).toBe(first.text);
  } finally {
    await other.app.close();
  }
});
