import { X509Certificate } from 'node:crypto';
import { expect } from 'vitest';
import { conformance, inWeb, object, type Broker } from './broker.ts';
import { inMesh } from './in-mesh.ts';

const check = conformance();

const rotate = (broker: Broker, instance: string, predecessor: string, binding: string, extra = {}): ReturnType<Broker['bind']> =>
  broker.bind(instance, binding, { predecessor_binding_id: predecessor, ...extra });

check('ROT-01', async (broker) => {
  for (const [plan, rotates] of [
    ['basic', true],
    ['plain', false],
    ['standard', false],
  ] as const) {
    const declared = (await broker.services()).flatMap((service) => service.plans).find(({ name }) => name === plan);
    expect(declared?.['binding_rotatable']).toBe(rotates);
    const instance = await broker.ready(plan);
    const answer = await rotate(broker, instance, await broker.bound(instance, plan), broker.fresh('b'));
    expect(answer.status).toBe(rotates ? 201 : 400);
    if (!rotates) expect(answer.body['description']).toMatch(/predecessor_binding_id/);
  }
});

check('ROT-02', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = await broker.ready(plan);
    const [first, second] = [await broker.bound(instance, plan), broker.fresh('b')];
    const made = await rotate(broker, instance, first, second);
    expect(made.status).toBe(plan === 'basic' ? 201 : 202);
    if (made.status === 202) expect((await broker.endOfBinding(instance, second)).body['state']).toBe('succeeded');
    expect((await broker.fetchBinding(instance, second)).body['credentials']).toBeDefined();
  }
});

check('ROT-03', async (broker) => {
  const [instance, other] = [await broker.ready('basic'), await broker.ready('basic')];
  const [foreign, over, gone] = [
    await broker.bound(other, 'basic'),
    await broker.bound(instance, 'basic'),
    await broker.bound(instance, 'basic'),
  ];
  await broker.rows(`update service_binding set expires_at = clock_timestamp(), renew_before = clock_timestamp() where binding_id = $1`, [
    over,
  ]);
  await broker.unbind(instance, gone, broker.del('basic'));
  const self = broker.fresh('b');
  for (const predecessor of ['none', foreign, over, gone, self]) {
    const refused = await rotate(broker, instance, predecessor, self);
    expect([predecessor, refused.status, refused.body['error']]).toEqual([predecessor, 400, 'BadRequest']);
    expect(refused.body['description']).toMatch(/^predecessor_binding_id/);
  }
  expect((await broker.fetchBinding(instance, self)).status).toBe(404);
});

check('ROT-04', async (broker) => {
  const instance = await broker.ready('basic');
  for (const parameters of [inWeb, {}]) {
    const [first, second] = [await broker.bound(instance, 'basic', { parameters }), broker.fresh('b')];
    await rotate(broker, instance, first, second);
    for (const binding of [first, second]) {
      expect((await broker.fetchBinding(instance, binding)).status).toBe(200);
      expect(await inMesh(broker, binding)).not.toEqual([]);
    }
    await broker.unbind(instance, first, broker.del('basic'));
    expect((await broker.fetchBinding(instance, second)).status).toBe(200);
    expect(await inMesh(broker, first)).toEqual([]);
    expect(await inMesh(broker, second)).not.toEqual([]);
  }
});

check('ROT-05', async (broker) => {
  const instance = await broker.ready('basic');
  const request = { parameters: { ...inWeb, contact: 'c' }, bind_resource: { app_guid: 'a' }, context: { platform: 'kubernetes' } };
  const first = await broker.bound(instance, 'basic', request);
  const [second, third] = [broker.fresh('b'), broker.fresh('b')];
  await rotate(broker, instance, first, second);
  expect((await broker.fetchBinding(instance, second)).body['parameters']).toEqual(request.parameters);
  const rows = await broker.rows('select distinct lineage_id, bind_resource, context, consumer_name, principal from service_binding where binding_id in ($1, $2)', [first, second]); // prettier-ignore
  expect(rows).toHaveLength(1);
  await rotate(broker, instance, second, third, { parameters: { ...inWeb, contact: 'd' } });
  expect((await broker.fetchBinding(instance, third)).body['parameters']).toEqual({ ...inWeb, contact: 'd' });
});

check('ROT-06', async (broker) => {
  const instance = await broker.ready('basic');
  const [first, other, second] = [await broker.bound(instance, 'basic'), await broker.bound(instance, 'basic'), broker.fresh('b')];
  const made = await rotate(broker, instance, first, second);
  const again = await rotate(broker, instance, first, second);
  expect([made.status, again.status, again.text]).toEqual([201, 200, made.text]);
  expect((await rotate(broker, instance, other, second)).status).toBe(409);
  await broker.unbind(instance, first, broker.del('basic'));
  const later = await rotate(broker, instance, first, second);
  expect([later.status, later.text]).toEqual([200, made.text]);
  const queued = await broker.ready('queued');
  const old = await broker.bound(queued, 'queued');
  expect((await broker.bind(queued, broker.fresh('b'), { predecessor_binding_id: old }, '')).body['error']).toBe('AsyncRequired');
});

check('ROT-07', async (broker) => {
  const instance = await broker.ready('basic');
  const first = await broker.bound(instance, 'basic');
  const { service_id: service, plan_id: plan } = broker.ids('basic');
  const bad = [
    broker.ids('standard'),
    { plan_id: broker.ids('premium').plan_id },
    { service_id: broker.ids('standard').service_id },
    { service_id: '' },
    { parameters: { contact: 7 } },
  ];
  for (const extra of bad) expect((await rotate(broker, instance, first, broker.fresh('b'), extra)).status).toBe(400);
  for (const extra of [{ service_id: service }, { service_id: service, plan_id: plan }, { plan_id: plan, parameters: inWeb }]) {
    expect((await rotate(broker, instance, first, broker.fresh('b'), extra)).status).toBe(201);
  }
});

check('ROT-08', async (broker) => {
  const instance = await broker.ready('basic');
  const chain = [await broker.bound(instance, 'basic', {}), broker.fresh('b'), broker.fresh('b'), broker.fresh('b')];
  for (const [index, binding] of chain.entries()) {
    if (index > 0) expect((await rotate(broker, instance, chain[index - 1] ?? '', binding)).status).toBe(201);
  }
  const serials = await Promise.all(
    chain.map(async (binding) => {
      const credentials = object((await broker.fetchBinding(instance, binding)).body['credentials']);
      return new X509Certificate(String(credentials['client-certificate'])).serialNumber;
    }),
  );
  expect(new Set(serials).size).toBe(chain.length);
  const lineages = await broker.rows('select distinct lineage_id from service_binding where binding_id = any($1)', [chain]);
  expect(lineages).toHaveLength(1);
});
