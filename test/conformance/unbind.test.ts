import { expect } from 'vitest';
import { AI, conformance, inWeb, query } from './broker.ts';
import { inMesh } from './in-mesh.ts';

const check = conformance();

check('UNB-01', async (broker) => {
  for (const plan of ['basic', 'queued', 'standard']) {
    const instance = await broker.ready(plan);
    const binding = await broker.bound(instance, plan);
    const other = await broker.bound(instance, plan, { parameters: { consumer: { ...inWeb.consumer, namespace: 'team-b' } } });
    expect(await inMesh(broker, binding)).not.toEqual([]);
    const gone = await broker.unbind(instance, binding, broker.del(plan));
    if (gone.status === 202) expect((await broker.endOfBinding(instance, binding)).body['state']).toBe('succeeded');
    expect(await inMesh(broker, binding)).toEqual([]);
    expect(await inMesh(broker, other)).not.toEqual([]);
    expect((await broker.fetchBinding(instance, binding)).status).toBe(404);
  }
});

check('UNB-02', async (broker) => {
  const instance = await broker.ready('basic');
  for (const search of ['', `&${AI}`, '&accepts_incomplete=false']) {
    const binding = await broker.bound(instance, 'basic');
    const gone = await broker.unbind(instance, binding, query(broker.ids('basic')) + search);
    expect([gone.status, gone.body]).toEqual([200, {}]);
  }
});

check('UNB-03', async (broker) => {
  const instance = await broker.ready('hang-delete');
  const binding = await broker.bound(instance, 'hang-delete');
  const first = await broker.unbind(instance, binding, broker.del('hang-delete'));
  const again = await broker.unbind(instance, binding, broker.del('hang-delete'));
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(first.operation).toMatch(/./);
  expect(again.body).toEqual({ operation: first.operation });
  expect((await broker.pollBinding(instance, binding, `operation=${first.operation}`)).body['state']).toBe('in progress');
  expect(await broker.rows(`select 1 from operation where id = $1 or resource_id in (select resource_id from operation where id = $1) and kind = 'unbind'`, [first.operation])).toHaveLength(1); // prettier-ignore
});

check('UNB-04', async (broker) => {
  const instance = await broker.ready('basic');
  const binding = await broker.bound(instance, 'basic');
  const never = await broker.unbind(instance, broker.fresh('none'), broker.del('basic'));
  await broker.unbind(instance, binding, broker.del('basic'));
  const twice = await broker.unbind(instance, binding, broker.del('basic'));
  for (const { status, body } of [never, twice]) {
    expect(status).toBe(410);
    expect(body).toMatchObject({ error: 'Gone' });
  }
});

check('UNB-05', async (broker) => {
  const instance = await broker.ready('basic');
  const binding = await broker.bound(instance, 'basic');
  const { service_id: service, plan_id: plan } = broker.ids('basic');
  for (const [search, named] of [
    [`plan_id=${plan}`, 'service_id'],
    [`service_id=&plan_id=${plan}`, 'service_id'],
    [`service_id=${service}`, 'plan_id'],
    [`service_id=${service}&plan_id=`, 'plan_id'],
    ['', 'service_id'],
  ] as const) {
    const refused = await broker.unbind(instance, binding, search);
    expect([refused.status, refused.body['error']]).toEqual([400, 'BadRequest']);
    expect(refused.body['description']).toContain(named);
  }
  expect((await broker.fetchBinding(instance, binding)).status).toBe(200);
});

check('UNB-06', async (broker) => {
  const queued = await broker.ready('queued');
  const basic = await broker.ready('basic');
  const none = broker.fresh('none');
  const { plan_id: plan } = broker.ids('basic');
  expect((await broker.unbind(queued, none, query(broker.ids('queued')))).body['error']).toBe('AsyncRequired');
  expect((await broker.unbind(basic, none, `service_id=&plan_id=${plan}`)).status).toBe(410);
  expect((await broker.unbind(basic, none, '')).status).toBe(410);
  expect((await broker.unbind(basic, none, query(broker.ids('standard')))).status).toBe(410);
  const binding = await broker.bound(basic, 'basic');
  expect((await broker.unbind(basic, binding, `service_id=&plan_id=${plan}`)).status).toBe(400);
});

check('UNB-07', async (broker) => {
  const instance = await broker.ready('basic');
  const [first, second] = [await broker.bound(instance, 'basic'), await broker.bound(instance, 'basic', {})];
  const ids = broker.ids('basic');
  expect((await broker.unbind(instance, first, query({ ...ids, service_id: broker.ids('standard').service_id }))).status).toBe(400);
  expect((await broker.unbind(instance, first, query({ ...ids, plan_id: broker.ids('premium').plan_id }))).status).toBe(400);
  expect((await broker.patch(instance, broker.ids('premium'))).status).toBe(200);
  expect((await broker.unbind(instance, first, broker.del('basic'))).status).toBe(200);
  expect((await broker.unbind(instance, second, broker.del('premium'))).status).toBe(200);
});

check('UNB-08', async (broker) => {
  const instance = await broker.ready('queued');
  const binding = await broker.bound(instance, 'queued');
  for (const search of ['', '&accepts_incomplete=false']) {
    const refused = await broker.unbind(instance, binding, query(broker.ids('queued')) + search);
    expect([refused.status, refused.body['error']]).toEqual([422, 'AsyncRequired']);
  }
  expect((await broker.fetchBinding(instance, binding)).status).toBe(200);
  expect(await inMesh(broker, binding)).not.toEqual([]);
});

check('UNB-09', async (broker) => {
  const instance = await broker.ready('hang-bind');
  const binding = broker.fresh('b');
  const made = await broker.bind(instance, binding, { ...broker.ids('hang-bind'), parameters: inWeb });
  expect(made.status).toBe(202);
  const gone = await broker.unbind(instance, binding, broker.del('hang-bind'));
  expect(gone.status).toBe(202);
  expect(gone.operation).not.toBe(made.operation);
  expect((await broker.endOfBinding(instance, binding)).body['state']).toBe('succeeded');
  expect((await broker.pollBinding(instance, binding, `operation=${made.operation}`)).body['state']).toBe('failed');
  expect((await broker.unbind(instance, binding, broker.del('hang-bind'))).status).toBe(410);
  expect(await inMesh(broker, binding)).toEqual([]);
});

check('UNB-10', async (broker) => {
  const binding = await broker.bound(await broker.ready('basic'), 'basic');
  const refused = await broker.unbind(broker.fresh('none'), binding, broker.del('basic'));
  expect([refused.status, refused.body['error']]).toEqual([410, 'Gone']);
});
