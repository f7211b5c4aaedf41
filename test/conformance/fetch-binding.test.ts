import { expect } from 'vitest';
import { conformance, inWeb } from './broker.ts';

const check = conformance();

check('GBN-01', async (broker) => {
  for (const service of await broker.services()) {
    expect(service['bindings_retrievable']).toBe(true);
    for (const { id, name, ...plan } of service.plans) {
      if (plan['bindable'] !== true || !/^(basic|premium|plain|queued|standard|ordinary)$/.test(name)) continue;
      const instance = await broker.ready(name);
      const binding = await broker.bound(instance, name);
      expect((await broker.fetchBinding(instance, binding)).status, id).toBe(200);
    }
  }
});

check('GBN-02', async (broker) => {
  const instance = await broker.ready('slow');
  const binding = broker.fresh('b');
  await broker.bind(instance, binding, { ...broker.ids('slow'), parameters: inWeb });
  const ended = await broker.endOfBinding(instance, binding);
  const fetched = await broker.fetchBinding(instance, binding);
  expect([ended.body['state'], fetched.status]).toEqual(['succeeded', 200]);
});

check('GBN-03', async (broker) => {
  const instance = await broker.ready('hang-bind');
  const binding = broker.fresh('b');
  expect((await broker.fetchBinding(instance, binding)).status).toBe(404);
  await broker.bind(instance, binding, { ...broker.ids('hang-bind'), parameters: inWeb });
  const running = await broker.fetchBinding(instance, binding);
  expect([running.status, running.body['error']]).toEqual([404, 'NotFound']);
  const failing = await broker.ready('fail-later');
  const failed = broker.fresh('b');
  await broker.bind(failing, failed, { ...broker.ids('fail-later'), parameters: inWeb });
  expect((await broker.endOfBinding(failing, failed)).body['state']).toBe('failed');
  expect((await broker.fetchBinding(failing, failed)).status).toBe(404);
  const unbinding = await broker.ready('hang-delete');
  const leaving = await broker.bound(unbinding, 'hang-delete');
  await broker.unbind(unbinding, leaving, broker.del('hang-delete'));
  expect((await broker.fetchBinding(unbinding, leaving)).status).toBe(404);
});

check('GBN-04', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = await broker.ready(plan);
    const inside = await broker.fetchBinding(instance, await broker.bound(instance, plan));
    expect(inside.body['credentials']).toMatchObject({ auth: 'mesh-identity', uri: expect.stringMatching(/:\/\//) as string });
    const outside = await broker.bound(instance, plan, {});
    const [first, second] = [await broker.fetchBinding(instance, outside), await broker.fetchBinding(instance, outside)];
    expect(first.body['credentials']).toMatchObject({
      'client-certificate': expect.stringMatching(/BEGIN CERTIFICATE/) as string,
      'private-key': expect.stringMatching(/PRIVATE KEY/) as string,
    });
    expect(second.text).toBe(first.text);
  }
});

check('GBN-05', async (broker) => {
  const instance = await broker.ready('basic');
  for (const parameters of [{ ...inWeb, contact: 'c' }, {}, { consumer: { kind: 'off-mesh' } }]) {
    const binding = broker.fresh('b');
    const made = await broker.bind(instance, binding, { ...broker.ids('basic'), parameters });
    const fetched = await broker.fetchBinding(instance, binding);
    expect(made.status).toBe(201);
    expect(fetched.body).toEqual(made.body);
    expect(Object.values(fetched.body)).not.toContain(null);
    for (const other of ['syslog_drain_url', 'route_service_url', 'volume_mounts']) expect(fetched.body).not.toHaveProperty(other);
  }
});

check('GBN-06', async (broker) => {
  const instance = await broker.ready('basic');
  const without = await broker.bound(instance, 'basic', {});
  const empty = await broker.bound(instance, 'basic', { parameters: {} });
  const some = await broker.bound(instance, 'basic', { parameters: { contact: 'c' } });
  expect((await broker.fetchBinding(instance, without)).body).not.toHaveProperty('parameters');
  expect((await broker.fetchBinding(instance, empty)).body).not.toHaveProperty('parameters');
  expect((await broker.fetchBinding(instance, some)).body['parameters']).toEqual({ contact: 'c' });
});

check('GBN-07', async (broker) => {
  const instance = await broker.ready('basic');
  const binding = await broker.bound(instance, 'basic');
  const { service_id: service } = broker.ids('basic');
  const { text } = await broker.fetchBinding(instance, binding);
  for (const search of [`service_id=${service}`, 'service_id=x&plan_id=y', 'service_id=&plan_id=', `plan_id=${service}`]) {
    const answer = await broker.fetchBinding(instance, binding, search);
    expect([answer.status, answer.text]).toEqual([200, text]);
  }
});

check('GBN-08', async (broker) => {
  const [instance, other] = [await broker.ready('basic'), await broker.ready('basic')];
  const binding = await broker.bound(instance, 'basic');
  for (const wrong of [other, broker.fresh('none')]) expect((await broker.fetchBinding(wrong, binding)).status).toBe(404);
  expect((await broker.fetchBinding(instance, binding)).status).toBe(200);
});
