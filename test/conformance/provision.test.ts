import { expect } from 'vitest';
import { AI, conformance, object, type Answer, type Body, type Broker } from './broker.ts';

const check = conformance();

const instancesOf = (broker: Broker, id: string): Promise<readonly Body[]> =>
  broker.rows('select state from service_instance where instance_id = $1', [id]);
const operationsOf = (broker: Broker, id: string): Promise<readonly Body[]> =>
  broker.rows('select o.kind from operation o join service_instance i on i.id::text = o.resource_id where i.instance_id = $1', [id]);
const told = ({ status, body }: Answer): readonly unknown[] => [status, body['error']];

check('PRV-01', async (broker) => {
  for (const search of ['', AI, 'accepts_incomplete=false']) {
    const instance = broker.fresh();
    const made = await broker.put(instance, broker.order('basic'), search);
    expect(made.status).toBe(201);
    expect(object(JSON.parse(made.text))).toEqual(made.body);
    expect((await broker.fetch(instance)).status).toBe(200);
  }
});

check('PRV-02', async (broker) => {
  const instance = broker.fresh();
  const made = await broker.put(instance, broker.order('slow'));
  expect(made.status).toBe(202);
  expect((await broker.poll(instance, `operation=${made.operation}`)).body['state']).toBe('in progress');
  expect((await broker.endOf(instance)).body['state']).toBe('succeeded');
});

check('PRV-03', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const parameters = { size: 1, tags: { a: '1', b: '2' } };
    const instance = await broker.ready(plan, { parameters });
    const { metadata } = (await broker.fetch(instance)).body;
    const reordered = { tags: { b: '2', a: '1' }, size: 1 };
    for (const search of ['', AI, 'accepts_incomplete=false']) {
      const again = await broker.put(instance, broker.order(plan, { parameters: reordered, x_more: 1 }), search);
      expect([again.status, again.body]).toEqual([200, { metadata }]);
    }
    expect(await operationsOf(broker, instance)).toHaveLength(1);
  }
});

check('PRV-04', async (broker) => {
  const instance = broker.fresh();
  const first = await broker.put(instance, broker.order('hang-provision'));
  const again = await broker.put(instance, broker.order('hang-provision', { parameters: {} }));
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(first.operation).toMatch(/./);
  expect(again.body).toEqual(first.body);
  expect(await operationsOf(broker, instance)).toHaveLength(1);
});

check('PRV-05', async (broker) => {
  const context = { platform: 'cloudfoundry', organization_guid: 'o', space_guid: 's' };
  const finished = await broker.ready('basic', { parameters: { size: 1 }, context });
  const unfinished = broker.fresh();
  await broker.put(unfinished, broker.order('hang-provision', { parameters: { size: 1 }, context }));
  const before = (await broker.fetch(finished)).text;
  const changes: readonly Body[] = [
    { organization_guid: 'other' },
    { space_guid: 'other' },
    { parameters: { size: 2 } },
    { parameters: {} },
    { parameters: undefined },
    { context: { ...context, space_guid: 'other' } },
    { context: { ...context, platform: 'kubernetes' } },
    { ...broker.ids('standard') },
    { plan_id: broker.ids('premium').plan_id },
    { service_id: 'not-there' },
  ];
  for (const change of changes) {
    for (const [instance, plan] of [
      [finished, 'basic'],
      [unfinished, 'hang-provision'],
    ] as const) {
      const order = broker.order(plan, { parameters: { size: 1 }, context, ...change });
      expect([change, ...told(await broker.put(instance, order))]).toEqual([change, 409, 'Conflict']);
    }
  }
  expect((await broker.fetch(finished)).text).toBe(before);
});

check('PRV-06', async (broker) => {
  const instance = broker.fresh();
  for (const field of ['service_id', 'plan_id', 'organization_guid', 'space_guid']) {
    for (const value of [undefined, '', null, 7, true, [], {}]) {
      const refused = await broker.put(instance, broker.order('basic', { [field]: value }));
      expect([field, value, ...told(refused)]).toEqual([field, value, 400, 'BadRequest']);
      expect(refused.body['description']).toContain(field);
    }
  }
  for (const body of ['', '{', '[]', 'null', '7', '"x"']) expect((await broker.put(instance, body)).status).toBe(400);
  expect(await instancesOf(broker, instance)).toEqual([]);
});

check('PRV-07', async (broker) => {
  const instance = broker.fresh();
  const refused = await broker.put(instance, broker.order('basic', { service_id: 'not-there' }));
  expect(told(refused)).toEqual([400, 'BadRequest']);
  expect(refused.body['description']).toMatch(/^service_id.*"not-there"/);
  expect(await instancesOf(broker, instance)).toEqual([]);
});

check('PRV-08', async (broker) => {
  const instance = broker.fresh();
  for (const plan_id of ['not-there', broker.ids('standard').plan_id]) {
    const refused = await broker.put(instance, broker.order('basic', { plan_id }));
    expect(told(refused)).toEqual([400, 'BadRequest']);
    expect(refused.body['description']).toMatch(/^plan_id/);
  }
  expect(await instancesOf(broker, instance)).toEqual([]);
});

check('PRV-09', async (broker) => {
  const instance = broker.fresh();
  const bad: readonly [unknown, RegExp][] = [
    [{ size: 6 }, /size/],
    [{ size: 'large' }, /size/],
    [{ cost_center: 'x'.repeat(33) }, /cost_center/],
    [{ nobody: 1 }, /nobody/],
    [[], /parameters/],
    ['text', /parameters/],
    [7, /parameters/],
  ];
  for (const [parameters, named] of bad) {
    const refused = await broker.put(instance, broker.order('basic', { parameters }));
    expect([parameters, ...told(refused)]).toEqual([parameters, 400, 'BadRequest']);
    expect(refused.body['description']).toMatch(named);
  }
  expect(await instancesOf(broker, instance)).toEqual([]);
});

check('PRV-10', async (broker) => {
  expect((await broker.put(broker.fresh(), broker.order('basic'))).status).toBe(201);
  const context = { platform: 'cloudfoundry', organization_guid: 'o', space_guid: 's', x_more: { deep: [1] } };
  expect((await broker.put(broker.fresh(), broker.order('basic', { context }))).status).toBe(201);
  expect(told(await broker.put(broker.fresh(), { ...broker.ids('basic'), context }))).toEqual([400, 'BadRequest']);
  for (const odd of [[], 'x', 7]) {
    expect((await broker.put(broker.fresh(), broker.order('basic', { context: odd }))).status).toBe(400);
  }
});

check('PRV-11', async (broker) => {
  const instance = broker.fresh();
  const nothing = { parameters: null, context: null, maintenance_info: null };
  expect((await broker.put(instance, broker.order('basic', nothing))).status).toBe(201);
  for (const same of [nothing, {}, { parameters: {} }, { context: {} }, { maintenance_info: { version: null } }]) {
    expect((await broker.put(instance, broker.order('basic', same))).status).toBe(200);
  }
});

check('PRV-12', async (broker) => {
  for (const plan of ['basic', 'queued', 'standard']) {
    const instance = broker.fresh();
    const answers = [await broker.put(instance, broker.order(plan))];
    await broker.endOf(instance);
    answers.push(await broker.put(instance, broker.order(plan)), await broker.fetch(instance));
    expect(answers.map(({ body }) => 'dashboard_url' in body)).toEqual([false, false, false]);
  }
});

check('PRV-13', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const { labels, attributes, ...more } = object((await broker.put(broker.fresh(), broker.order(plan))).body['metadata']);
    expect(more).toEqual({});
    for (const value of [labels, attributes].flatMap((each) => Object.values(object(each)))) expect(value).toMatch(/./);
  }
});

check('PRV-14', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = broker.fresh();
    const first = await broker.put(instance, broker.order(plan));
    await broker.endOf(instance);
    const again = await broker.put(instance, broker.order(plan));
    expect([first.status, again.status]).toEqual([plan === 'basic' ? 201 : 202, 200]);
    for (const { text } of [first, again]) expect(text).toMatch(/^\{.*\}$/);
  }
});

check('PRV-15', async (broker) => {
  const made = await broker.put(broker.fresh(), broker.order('queued'));
  expect(made.body['operation']).toMatch(/^[A-Za-z0-9._~-]{1,255}$/);
  const atOnce = await broker.put(broker.fresh(), broker.order('basic'));
  expect(atOnce.body).not.toHaveProperty('operation');
});

check('PRV-20', async (broker) => {
  for (const maintenance_info of [{ version: '1.0.0' }, { version: '1.0.0', description: 'x', x_more: [1] }, {}, { description: 'x' }]) {
    expect((await broker.put(broker.fresh(), broker.order('basic', { maintenance_info }))).status).toBe(201);
  }
});

check('PRV-21', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    for (const version of ['0.0.0-x', '2.0.0', '1.0', '']) {
      const instance = broker.fresh();
      const refused = await broker.put(instance, broker.order(plan, { maintenance_info: { version } }));
      expect(told(refused)).toEqual([422, 'MaintenanceInfoConflict']);
      expect((await broker.remove(instance, broker.del(plan))).status).toBe(410);
    }
  }
});

check('PRV-22', async (broker) => {
  const refused = await broker.put(broker.fresh(), broker.order('plain', { maintenance_info: { version: '1.0.0' } }));
  expect(told(refused)).toEqual([422, 'MaintenanceInfoConflict']);
});

check('PRV-23', async (broker) => {
  const instance = broker.fresh();
  await broker.put(instance, broker.order('fail-provision'));
  const ended = await broker.endOf(instance);
  expect(ended.body).toMatchObject({ state: 'failed', description: expect.stringMatching(/./) as string });
  expect((await broker.fetch(instance)).status).toBe(404);
  const gone = await broker.remove(instance, broker.del('fail-provision'));
  expect([200, 202, 410]).toContain(gone.status);
  if (gone.status === 202) expect((await broker.endOf(instance, gone.operation)).body['state']).toBe('succeeded');
  expect((await broker.remove(instance, broker.del('fail-provision'))).status).toBe(410);
  const atOnce = broker.fresh();
  expect((await broker.put(atOnce, broker.order('fail-provision-at-once'))).status).toBe(400);
  expect([200, 410]).toContain((await broker.remove(atOnce, broker.del('fail-provision-at-once'))).status);
});

check('PRV-24', async (broker) => {
  const taken = await broker.ready('queued');
  const free = broker.fresh();
  const wrong = { service_id: 'x', maintenance_info: { version: '9.9.9' }, parameters: { size: 9 } };
  const steps: readonly [string, Body | string, string, object, number, string][] = [
    [taken, '{', 'accepts_incomplete=x', { login: null, version: '2.1' }, 401, 'Unauthorized'],
    [taken, '{', 'accepts_incomplete=x', { version: '2.1' }, 412, 'UnsupportedApiVersion'],
    [taken, broker.order('queued', { ...wrong, space_guid: '' }), '', {}, 400, 'BadRequest'],
    [taken, broker.order('queued', wrong), '', {}, 409, 'Conflict'],
    [free, broker.order('queued', wrong), '', {}, 400, 'BadRequest'],
    [free, broker.order('queued', { ...wrong, ...broker.ids('queued') }), '', {}, 422, 'MaintenanceInfoConflict'],
    [free, broker.order('queued', { parameters: { size: 9 } }), '', {}, 422, 'AsyncRequired'],
    [free, broker.order('queued', { parameters: { size: 9 } }), AI, {}, 400, 'BadRequest'],
    [free, broker.order('queued'), AI, {}, 202, ''],
  ];
  for (const [instance, body, search, call, status, error] of steps) {
    const answer = await broker.put(instance, body, search, call);
    expect([answer.status, answer.body['error'] ?? '']).toEqual([status, error]);
  }
});
