import { expect } from 'vitest';
import { conformance, object } from './broker.ts';

const check = conformance();

check('GIN-01', async (broker) => {
  for (const service of await broker.services()) expect(service['instances_retrievable']).toBe(true);
  for (const plan of ['queued', 'slow', 'ordinary']) {
    const instance = broker.fresh();
    await broker.put(instance, broker.order(plan));
    const ended = await broker.endOf(instance);
    const fetched = await broker.fetch(instance);
    expect([ended.body['state'], fetched.status]).toEqual(['succeeded', 200]);
  }
  for (const plan of ['basic', 'premium', 'plain', 'closed', 'standard', 'large']) {
    expect((await broker.fetch(await broker.ready(plan))).status).toBe(200);
  }
});

check('GIN-02', async (broker) => {
  const making = broker.fresh();
  await broker.put(making, broker.order('hang-provision'));
  const failed = broker.fresh();
  await broker.put(failed, broker.order('fail-provision'));
  await broker.endOf(failed);
  for (const instance of [broker.fresh('none'), making, failed]) {
    const refused = await broker.fetch(instance);
    expect([refused.status, refused.body['error']]).toEqual([404, 'NotFound']);
  }
});

check('GIN-03', async (broker) => {
  const instance = await broker.ready('hang-update');
  await broker.patch(instance, { service_id: broker.ids('hang-update').service_id });
  const refused = await broker.fetch(instance);
  expect([refused.status, refused.body['error']]).toEqual([422, 'ConcurrencyError']);
});

check('GIN-04', async (broker) => {
  const parameters = { size: 1 };
  const instance = await broker.ready('basic', { parameters });
  const first = await broker.fetch(instance);
  expect(first.body).toMatchObject({ ...broker.ids('basic'), parameters, maintenance_info: { version: '1.0.0' } });
  await broker.patch(instance, { ...broker.ids('premium'), parameters: { size: null, more: [1] } });
  const then = await broker.fetch(instance);
  expect(then.body).toMatchObject({ ...broker.ids('premium'), parameters: { more: [1] }, maintenance_info: { version: '2.1.0-rc.1' } });
  expect(object(object(then.body['metadata'])['labels'])['plan']).toBe('premium');
  for (const { body } of [first, then]) {
    expect(Object.keys(body).sort()).toEqual(['maintenance_info', 'metadata', 'parameters', 'plan_id', 'service_id']);
    expect(Object.values(body)).not.toContain(null);
  }
});

check('GIN-05', async (broker) => {
  for (const parameters of [undefined, null, {}]) {
    expect((await broker.fetch(await broker.ready('basic', { parameters }))).body).not.toHaveProperty('parameters');
  }
});

check('GIN-06', async (broker) => {
  const instance = await broker.ready('basic');
  const { text } = await broker.fetch(instance);
  const { service_id: service, plan_id: plan } = broker.ids('basic');
  for (const search of [`service_id=${service}`, `service_id=${service}&plan_id=${plan}`, 'service_id=x&plan_id=y', 'plan_id=']) {
    const answer = await broker.fetch(instance, search);
    expect([answer.status, answer.text]).toEqual([200, text]);
  }
});

check('GIN-07', async (broker) => {
  const plans = (await broker.services()).flatMap((service) => service.plans);
  for (const name of ['basic', 'premium', 'plain']) {
    const info = plans.find((plan) => plan.name === name)?.['maintenance_info'] as { version: string } | undefined;
    const { body } = await broker.fetch(await broker.ready(name));
    expect(body['maintenance_info']).toEqual(info === undefined ? undefined : { version: info.version });
  }
  const behind = await broker.ready('basic');
  await broker.rows(`update service_instance set maintenance_version = '0.9.0' where instance_id = $1`, [behind]);
  expect((await broker.fetch(behind)).body['maintenance_info']).toEqual({ version: '0.9.0' });
});

check('GIN-08', async (broker) => {
  const instance = await broker.ready('hang-delete');
  await broker.remove(instance, broker.del('hang-delete'));
  const leaving = await broker.fetch(instance);
  expect([leaving.status, leaving.body['error']]).toEqual([422, 'ConcurrencyError']);
  const gone = await broker.ready('basic');
  await broker.gone(gone, 'basic');
  expect((await broker.fetch(gone)).status).toBe(404);
});
