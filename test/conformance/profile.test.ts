import { expect } from 'vitest';
import { AI, conformance, inWeb, object, type Body } from './broker.ts';

const check = conformance();

/** Contexts of Cloud Foundry as clients of each version send them. */
const cloudFoundry: readonly [string, Body][] = [
  ['2.13', { platform: 'cloudfoundry', organization_guid: 'o', space_guid: 's' }],
  ['2.15', { platform: 'cloudfoundry', organization_guid: 'o', organization_name: 'org', space_guid: 's', space_name: 'space', instance_name: 'mine' }],
  ['2.17', {
    platform: 'cloudfoundry', organization_guid: 'o', organization_name: 'org', space_guid: 's', space_name: 'space', instance_name: 'mine',
    organization_annotations: { 'example.com/team': 'a' }, space_annotations: {}, instance_annotations: { 'example.com/cost': '7' },
  }],
]; // prettier-ignore
const kubernetes: readonly [string, Body][] = [
  ['2.13', { platform: 'kubernetes', namespace: 'team-a' }],
  ['2.14', { platform: 'kubernetes', namespace: 'team-a', clusterid: 'c' }],
  ['2.17', { platform: 'kubernetes', namespace: 'team-a', clusterid: 'c', instance_name: 'mine', namespace_annotations: { a: 'b' }, instance_annotations: {} }],
]; // prettier-ignore
const identity = (platform: string, value: unknown): { headers: Record<string, string> } => ({
  headers: { 'x-broker-api-originating-identity': `${platform} ${Buffer.from(JSON.stringify(value)).toString('base64')}` },
});

check('PRO-01', async (broker) => {
  for (const context of [{}, { namespace: 'x' }, { organization_guid: 'o' }]) {
    const instance = await broker.ready('basic', { context });
    expect((await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), context })).status).toBe(201);
    expect((await broker.patch(instance, { service_id: broker.ids('basic').service_id, context })).status).toBe(200);
  }
});

check('PRO-02', async (broker) => {
  for (const [version, context] of cloudFoundry) {
    const instance = broker.fresh();
    const call = { version };
    expect((await broker.put(instance, broker.order('basic', { context }), AI, call)).status).toBe(201);
    const renamed = { ...context, instance_name: 'renamed', organization_name: 'other', instance_annotations: { z: '1' } };
    expect((await broker.patch(instance, { service_id: broker.ids('basic').service_id, context: renamed }, AI, call)).status).toBe(200);
    expect((await broker.put(instance, broker.order('basic', { context }), AI, call)).status).toBe(200);
    expect((await broker.put(instance, broker.order('basic', { context: renamed }), AI, call)).status).toBe(200);
    const elsewhere = { ...context, space_guid: 'elsewhere' };
    expect((await broker.put(instance, broker.order('basic', { context: elsewhere }), AI, call)).status).toBe(409);
    const bindContext = { ...context, instance_name: undefined };
    const bound = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), context: bindContext }, AI, call);
    expect(bound.status).toBe(201);
    expect(object(bound.body['credentials'])['auth']).toBe('x509-svid');
  }
});

check('PRO-03', async (broker) => {
  for (const [version, context] of kubernetes) {
    const instance = broker.fresh();
    expect((await broker.put(instance, broker.order('basic', { context }), AI, { version })).status).toBe(201);
    const bound = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), context }, AI, { version });
    expect(bound.status).toBe(201);
    expect(object(bound.body['credentials'])).toMatchObject({
      auth: 'mesh-identity',
      'spiffe-id': 'spiffe://mesh.example.com/ns/team-a/sa/default',
    });
    const moved = { ...context, clusterid: 'another' };
    expect((await broker.patch(instance, { service_id: broker.ids('basic').service_id, context: moved })).status).toBe(200);
  }
});

check('PRO-04', async (broker) => {
  const instance = await broker.ready('basic');
  for (const context of [
    { platform: 'cloudfoundry', organization_guid: 'o', organization_name: 'org', space_guid: 's', space_name: 'space' },
    { platform: 'kubernetes', namespace: 'team-b', clusterid: 'c' },
  ]) {
    expect((await broker.bind(instance, broker.fresh('b'), { ...broker.ids('basic'), context })).status).toBe(201);
  }
});

check('PRO-05', async (broker) => {
  const identities: readonly [string, Body][] = [
    ['cloudfoundry', { user_id: '683ea748-3092-4ff4-b656-39cacc4d5360', x_more: [1] }],
    ['kubernetes', { username: 'duke', uid: 'c2dde242', groups: ['admin', 'dev'], extra: { mydata: ['data1', 'data3'] } }],
    ['kubernetes', { username: 'duke', groups: [] }],
  ];
  for (const [platform, value] of identities) {
    const instance = broker.fresh();
    expect((await broker.put(instance, broker.order('basic'), AI, identity(platform, value))).status).toBe(201);
    const rows = await broker.rows(
      `select originating_identity from audit_event where action = 'instance.provision' and originating_identity is not null
        and detail ->> 'instance_id' = $1`,
      [instance],
    );
    expect(rows).toEqual([{ originating_identity: { platform, value } }]);
  }
});

check('PRO-06', async (broker) => {
  const instance = await broker.ready('basic');
  for (const bind_resource of [
    { app_guid: 'a', space_guid: 's', app_annotations: { 'example.com/x': 'y' } },
    { credential_client_id: 'key' },
    { route: 'shop.example.com' },
    { x_unknown: { deep: [1] } },
    {},
  ]) {
    const binding = broker.fresh('b');
    expect((await broker.bind(instance, binding, { ...broker.ids('basic'), bind_resource })).status).toBe(201);
    const [row] = await broker.rows('select bind_resource from service_binding where binding_id = $1', [binding]);
    expect(row?.['bind_resource']).toEqual(bind_resource);
  }
});

check('PRO-07', async (broker) => {
  const instance = await broker.ready('basic');
  for (const parameters of [inWeb, {}]) {
    const binding = await broker.bound(instance, 'basic', { parameters });
    const credentials = object((await broker.fetchBinding(instance, binding)).body['credentials']);
    for (const name of Object.keys(credentials)) expect(name).not.toMatch(/credhub/i);
    expect(credentials['uri']).toMatch(/:\/\//);
  }
});

check('PRO-08', async (broker) => {
  for (const service of await broker.services()) {
    const metadata = object(service['metadata'] ?? {});
    for (const name of ['displayName', 'imageUrl', 'longDescription', 'providerDisplayName', 'documentationUrl', 'supportUrl']) {
      if (name in metadata) expect(metadata[name], name).toMatch(/./);
    }
    if ('shareable' in metadata) expect(metadata['shareable']).toBeTypeOf('boolean');
    for (const name of Object.keys(metadata)) expect(name).not.toMatch(/^[a-wyz]\w*_/);
  }
  const orders = (await broker.services()).find(({ name }) => name === 'orders');
  expect(orders?.['metadata']).toMatchObject({
    displayName: 'Orders',
    imageUrl: 'https://example.com/orders.png',
    longDescription: 'Takes orders and tells what became of them.',
    providerDisplayName: 'Shop team',
    documentationUrl: 'https://example.com/orders',
    supportUrl: 'https://example.com/support',
    shareable: true,
  });
});

check('PRO-09', async (broker) => {
  const plans = (await broker.services()).flatMap((service) => service.plans);
  for (const plan of plans) {
    const { costs = [], bullets = [] } = object(plan['metadata'] ?? {}) as { costs?: readonly Body[]; bullets?: readonly unknown[] };
    for (const bullet of bullets) expect(bullet).toMatch(/./);
    if (costs.length > 0) expect(plan['free']).toBe(false);
    for (const { amount, unit } of costs) {
      expect(unit).toMatch(/./);
      for (const [currency, value] of Object.entries(object(amount))) {
        expect(currency).toMatch(/^[a-z]{3}$/);
        expect(value).toBeTypeOf('number');
      }
    }
  }
  expect(plans.find(({ name }) => name === 'premium')?.['metadata']).toMatchObject({
    displayName: 'Premium',
    bullets: ['More of everything'],
    costs: [{ amount: { usd: 25 }, unit: 'month' }],
  });
});

check('PRO-10', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = broker.fresh();
    const made = await broker.put(instance, broker.order(plan));
    if (made.status === 202) await broker.endOf(instance);
    const updated = await broker.patch(instance, broker.ids(plan));
    if (updated.status === 202) await broker.endOf(instance, updated.operation);
    for (const { body } of [made, updated, await broker.fetch(instance)]) {
      const { labels, attributes } = object(body['metadata']);
      expect(labels).toMatchObject({ plan });
      for (const [key, value] of [labels, attributes].flatMap((each) => Object.entries(object(each)))) {
        expect(key.length).toBeLessThanOrEqual(63);
        expect(String(value).length).toBeLessThanOrEqual(255);
        expect(value).toBeTypeOf('string');
      }
    }
  }
});

check('PRO-11', async (broker) => {
  for (const plan of ['basic', 'standard']) {
    const instance = await broker.ready(plan);
    for (const parameters of [inWeb, {}]) {
      const binding = await broker.bound(instance, plan, { parameters });
      const { uri, host, port } = object((await broker.fetchBinding(instance, binding)).body['credentials']);
      const address = new URL(String(uri).replace(/^\w+:/, 'http:'));
      expect([address.hostname, address.port === '' ? '80' : address.port]).toEqual([host, port]);
    }
  }
});
