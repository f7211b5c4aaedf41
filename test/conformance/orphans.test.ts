import { expect } from 'vitest';
import { AI, conformance, inWeb, query, type Answer } from './broker.ts';
import { everyOperation } from './operations.ts';
import { inMesh } from './in-mesh.ts';

const check = conformance();

check('ORP-01', async (broker) => {
  const instance = await broker.ready('basic');
  const leaving = await broker.ready('hang-delete');
  await broker.remove(leaving, broker.del('hang-delete'));
  const basic = broker.ids('basic');
  const orders: readonly [string, (id: string) => Promise<Answer>][] = [
    ['basic', (id) => broker.put(id, '{')],
    ['basic', (id) => broker.put(id, broker.order('basic', { parameters: { size: 9 } }))],
    ['basic', (id) => broker.put(id, broker.order('basic', { maintenance_info: { version: '9.9.9' } }))],
    ['queued', (id) => broker.put(id, broker.order('queued'), '')],
    ['fail-provision-at-once', (id) => broker.put(id, broker.order('fail-provision-at-once'))],
  ];
  for (const [plan, order] of orders) {
    const id = broker.fresh();
    expect((await order(id)).status).toBeGreaterThanOrEqual(400);
    expect((await broker.remove(id, broker.del(plan))).status).toBe(410);
  }
  const binds: readonly [string, (id: string) => Promise<Answer>][] = [
    [instance, (id) => broker.bind(instance, id, '{')],
    [instance, (id) => broker.bind(instance, id, { ...basic, parameters: { contact: 7 } })],
    [instance, (id) => broker.bind(instance, id, { predecessor_binding_id: 'none' })],
    [leaving, (id) => broker.bind(leaving, id, { ...broker.ids('hang-delete'), parameters: inWeb })],
    ['none', (id) => broker.bind('none', id, { ...basic, parameters: inWeb })],
  ];
  for (const [of, bind] of binds) {
    const id = broker.fresh('b');
    expect((await bind(id)).status).toBeGreaterThanOrEqual(400);
    expect((await broker.unbind(of, id, broker.del('basic'))).status).toBe(410);
  }
});

check('ORP-02', async (broker) => {
  const instance = await broker.ready('basic', { parameters: { size: 1 } });
  const binding = await broker.bound(instance, 'basic');
  const before = [(await broker.fetch(instance)).text, (await broker.fetchBinding(instance, binding)).text, await inMesh(broker, binding)];
  expect((await broker.put(instance, broker.order('standard'))).status).toBe(409);
  expect((await broker.bind(instance, binding, { ...broker.ids('basic'), parameters: {} })).status).toBe(409);
  expect((await broker.remove(instance, query(broker.ids('standard')))).status).toBe(400);
  expect((await broker.unbind(instance, binding, query(broker.ids('standard')))).status).toBe(400);
  expect([(await broker.fetch(instance)).text, (await broker.fetchBinding(instance, binding)).text, await inMesh(broker, binding)]).toEqual(
    before,
  );
});

check('ORP-03', async (broker) => {
  const headers = { 'x-broker-api-originating-identity': 'cloudfoundry eyJ1c2VyX2lkIjoidSJ9' };
  const [instance, binding] = [broker.fresh(), broker.fresh('b')];
  expect((await broker.put(instance, broker.order('basic'), AI, { headers })).status).toBe(201);
  expect((await broker.bind(instance, binding, { ...broker.ids('basic'), parameters: inWeb }, AI, { headers })).status).toBe(201);
  expect((await broker.unbind(instance, binding, broker.del('basic'))).status).toBe(200);
  expect((await broker.remove(instance, broker.del('basic'))).status).toBe(200);
});

check('ORP-05', async (broker) => {
  for (const plan of ['slow', 'slow-at-once']) {
    const instance = broker.fresh();
    const impatient = new AbortController();
    const order = broker.put(instance, broker.order(plan), AI, { signal: impatient.signal }).catch(() => undefined);
    const seen = async (): Promise<boolean> =>
      (await broker.rows('select 1 from service_instance where instance_id = $1', [instance])).length > 0;
    for (const until = performance.now() + 5_000; !(await seen()) && performance.now() < until;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    impatient.abort();
    await order;
    await broker.gone(instance, plan);
    expect((await broker.fetch(instance)).status).toBe(404);
    expect((await broker.remove(instance, broker.del(plan))).status).toBe(410);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(await broker.rows(`select 1 from service_instance where instance_id = $1 and state <> 'gone'`, [instance])).toEqual([]);
    expect(await inMesh(broker, instance)).toEqual([]);
  }
  const instance = await broker.ready('slow');
  const binding = broker.fresh('b');
  expect((await broker.bind(instance, binding, { ...broker.ids('slow'), parameters: inWeb })).status).toBe(202);
  expect((await broker.unbind(instance, binding, broker.del('slow'))).status).toBe(202);
  expect((await broker.endOfBinding(instance, binding)).body['state']).toBe('succeeded');
  expect((await broker.unbind(instance, binding, broker.del('slow'))).status).toBe(410);
  expect(await inMesh(broker, binding)).toEqual([]);
});

check('ORP-06', async (broker) => {
  const allowed: Readonly<Record<string, readonly number[]>> = {
    provision: [200, 201, 202],
    bind: [200, 201, 202],
    update: [200, 202],
    unbind: [200, 202],
    deprovision: [200, 202],
  };
  for (const plan of ['basic', 'queued', 'standard']) {
    for (const { what, send } of await everyOperation(broker, plan)) {
      const { status, body } = await send();
      expect(allowed[what] ?? [200, 404, 422], `${plan}: ${what}`).toContain(status);
      if (status !== 202) continue;
      expect(body['operation']).toMatch(/./);
      for (const until = performance.now() + 10_000; performance.now() < until;) {
        const open = await broker.rows(`select 1 from operation where id = $1 and finished_at is null`, [body['operation']]);
        if (open.length === 0) break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
  for (const status of broker.statuses) expect([200, 201, 202, 400, 403, 404, 409, 410, 422]).toContain(status);
});
