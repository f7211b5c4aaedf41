import { expect } from 'vitest';
import { AI, conformance, inWeb } from './broker.ts';

const check = conformance();

check('UPD-01', async (broker) => {
  const instance = await broker.ready('basic', { parameters: { size: 1 } });
  const ids = broker.ids('basic');
  for (const body of [{ service_id: ids.service_id }, ids, { ...ids, parameters: {} }, { ...ids, parameters: { size: 2 } }]) {
    for (const search of ['', AI, 'accepts_incomplete=false']) {
      const updated = await broker.patch(instance, body, search);
      expect(updated.status).toBe(200);
      expect(Object.keys(updated.body).filter((key) => key !== 'metadata')).toEqual([]);
    }
  }
  expect((await broker.fetch(instance)).body['parameters']).toEqual({ size: 2 });
});

check('UPD-02', async (broker) => {
  const instance = await broker.ready('hang-update');
  const body = { service_id: broker.ids('hang-update').service_id, parameters: { a: 1 } };
  const first = await broker.patch(instance, body);
  const again = await broker.patch(instance, body);
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(first.operation).toMatch(/./);
  expect(again.operation).toBe(first.operation);
  const slow = await broker.ready('slow');
  const updating = await broker.patch(slow, { service_id: broker.ids('slow').service_id, parameters: { a: 1 } });
  expect(updating.status).toBe(202);
  expect((await broker.endOf(slow, updating.operation)).body['state']).toBe('succeeded');
  expect((await broker.fetch(slow)).body['parameters']).toEqual({ a: 1 });
});

check('UPD-03', async (broker) => {
  const instance = await broker.ready('basic');
  for (const service_id of [undefined, '', null, 7, [], 'x']) {
    const refused = await broker.patch(instance, { service_id });
    expect([service_id, refused.status, refused.body['error']]).toEqual([service_id, 400, 'BadRequest']);
    expect(refused.body['description']).toContain('service_id');
  }
  const { service_id } = broker.ids('basic');
  for (const more of [{ plan_id: '' }, { plan_id: 7 }, { parameters: 'x' }, { context: [] }]) {
    expect((await broker.patch(instance, { service_id, ...more })).status).toBe(400);
  }
});

check('UPD-04', async (broker) => {
  const instance = await broker.ready('basic', { parameters: { size: 3, cost_center: 'c' }, context: { platform: 'x', name: 'old' } });
  const { service_id: service } = broker.ids('basic');
  const before = (await broker.fetch(instance)).text;
  await broker.patch(instance, { service_id: service, context: { platform: 'x', name: 'new' } });
  expect((await broker.fetch(instance)).text).toBe(before);
  await broker.patch(instance, { service_id: service, parameters: null, context: null, maintenance_info: null });
  expect((await broker.fetch(instance)).text).toBe(before);
  const [row] = await broker.rows('select context from service_instance where instance_id = $1', [instance]);
  expect(row?.['context']).toEqual({ platform: 'x', name: 'new' });
  const other = await broker.ready('premium');
  await broker.patch(other, { service_id: service, parameters: { a: 1 } });
  expect((await broker.fetch(other)).body).toMatchObject({ plan_id: broker.ids('premium').plan_id, parameters: { a: 1 } });
});

check('UPD-05', async (broker) => {
  const instance = await broker.ready('plain');
  const refused = await broker.patch(instance, broker.ids('basic'));
  expect(refused.status).toBe(422);
  expect(refused.body).toMatchObject({ error: 'PlanChangeNotSupported', update_repeatable: false, instance_usable: true });
  expect(refused.body['description']).toMatch(/"plain".*"basic"/);
  expect((await broker.fetch(instance)).body['plan_id']).toBe(broker.ids('plain').plan_id);
});

check('UPD-06', async (broker) => {
  const instance = await broker.ready('basic');
  const { service_id: service } = broker.ids('basic');
  for (const plan of [broker.ids('standard').plan_id, 'x']) {
    const refused = await broker.patch(instance, { service_id: service, plan_id: plan });
    expect([refused.status, refused.body['error']]).toEqual([400, 'BadRequest']);
    expect(refused.body['description']).toMatch(/^plan_id/);
  }
});

check('UPD-07', async (broker) => {
  const instance = await broker.ready('basic');
  const { service_id: service, plan_id: plan } = broker.ids('standard');
  for (const body of [{ service_id: service }, { service_id: service, plan_id: plan }]) {
    const refused = await broker.patch(instance, body);
    expect([refused.status, refused.body['error']]).toEqual([400, 'BadRequest']);
    expect(refused.body['description']).toMatch(/^service_id/);
  }
  expect((await broker.fetch(instance)).body['service_id']).toBe(broker.ids('basic').service_id);
});

check('UPD-08', async (broker) => {
  const instance = await broker.ready('premium', { parameters: { x: 1 } });
  const before = (await broker.fetch(instance)).text;
  const bad = [
    { ...broker.ids('basic'), parameters: { size: 9 } },
    { ...broker.ids('basic'), maintenance_info: { version: '9.9.9' } },
    { ...broker.ids('basic'), parameters: { size: 1 } }, // what is there does not fit the other plan
    { ...broker.ids('queued'), search: '' },
  ];
  for (const { search = AI, ...body } of bad as readonly { search?: string }[]) {
    expect((await broker.patch(instance, { ...body, context: { platform: 'y' } }, search)).status).toBeGreaterThanOrEqual(400);
    expect((await broker.fetch(instance)).text).toBe(before);
  }
  const [row] = await broker.rows('select context, plan_ids from service_instance where instance_id = $1', [instance]);
  expect(row).toEqual({ context: {}, plan_ids: [broker.ids('premium').plan_id] });
});

check('UPD-09', async (broker) => {
  const instance = await broker.ready('queued');
  const { service_id: service } = broker.ids('queued');
  for (const body of [{ service_id: service }, { service_id: service, context: { platform: 'x' } }]) {
    for (const search of ['', 'accepts_incomplete=false']) {
      const refused = await broker.patch(instance, body, search);
      expect([refused.status, refused.body['error']]).toEqual([422, 'AsyncRequired']);
    }
  }
});

check('UPD-10', async (broker) => {
  const instance = await broker.ready('basic');
  const ids = broker.ids('basic');
  const full = { ...broker.ids('premium'), organization_id: 'x', space_id: 'y', maintenance_info: { version: '9.9.9' } };
  for (const previous_values of [undefined, null, {}, full, { plan_id: 7, unknown: [] }, [], 'x', 7]) {
    expect((await broker.patch(instance, { ...ids, previous_values })).status).toBe(200);
  }
  expect((await broker.fetch(instance)).body['plan_id']).toBe(ids.plan_id);
});

check('UPD-11', async (broker) => {
  const context = { platform: 'cloudfoundry', organization_guid: 'o', space_guid: 's', instance_name: 'renamed' };
  for (const plan of ['basic', 'queued']) {
    const service = (await broker.services()).find(({ id }) => id === broker.ids(plan).service_id);
    expect(service?.['allow_context_updates']).toBe(true);
    const instance = await broker.ready(plan);
    const updated = await broker.patch(instance, { service_id: broker.ids(plan).service_id, context });
    expect(updated.status).toBe(plan === 'basic' ? 200 : 202);
    if (updated.status === 202) expect((await broker.endOf(instance, updated.operation)).body['state']).toBe('succeeded');
    const [row] = await broker.rows('select context from service_instance where instance_id = $1', [instance]);
    expect(row?.['context']).toEqual(context);
  }
});

check('UPD-12', async (broker) => {
  const instance = await broker.ready('basic');
  await broker.rows(`update service_instance set maintenance_version = '0.9.0' where instance_id = $1`, [instance]);
  expect((await broker.fetch(instance)).body['maintenance_info']).toEqual({ version: '0.9.0' });
  const { service_id } = broker.ids('basic');
  expect((await broker.patch(instance, { service_id })).status).toBe(200);
  expect((await broker.fetch(instance)).body['maintenance_info']).toEqual({ version: '0.9.0' });
  expect((await broker.patch(instance, { service_id, maintenance_info: { version: '1.0.0', description: 'x' } })).status).toBe(200);
  expect((await broker.fetch(instance)).body['maintenance_info']).toEqual({ version: '1.0.0' });
});

check('UPD-13', async (broker) => {
  const instance = await broker.ready('basic');
  const { service_id } = broker.ids('basic');
  const refuse = async (body: object): Promise<readonly unknown[]> => {
    const refused = await broker.patch(instance, body);
    return [refused.status, refused.body['error']];
  };
  const conflict = [422, 'MaintenanceInfoConflict'];
  expect(await refuse({ service_id, maintenance_info: { version: '0.0.1' } })).toEqual(conflict);
  expect(await refuse({ ...broker.ids('premium'), maintenance_info: { version: '1.0.0' } })).toEqual(conflict);
  expect(await refuse({ ...broker.ids('plain'), maintenance_info: { version: '1.0.0' } })).toEqual(conflict);
  expect((await broker.patch(instance, { ...broker.ids('premium'), maintenance_info: { version: '2.1.0-rc.1' } })).status).toBe(200);
  expect((await broker.fetch(instance)).body['maintenance_info']).toEqual({ version: '2.1.0-rc.1' });
});

check('UPD-14', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = await broker.ready(plan);
    const updated = await broker.patch(instance, broker.ids(plan));
    if (updated.status === 202) await broker.endOf(instance, updated.operation);
    for (const { body } of [updated, await broker.fetch(instance)]) expect(body).not.toHaveProperty('dashboard_url');
  }
});

check('UPD-15', async (broker) => {
  const instance = await broker.ready('fail-later');
  const updated = await broker.patch(instance, { service_id: broker.ids('fail-later').service_id, parameters: { a: 1 } });
  const ended = await broker.endOf(instance, updated.operation);
  expect(ended.body).toMatchObject({ state: 'failed', instance_usable: true, update_repeatable: true });
  const fetched = await broker.fetch(instance);
  expect(fetched.status).toBe(200);
  expect(fetched.body).not.toHaveProperty('parameters');
});

check('UPD-16', async (broker) => {
  const failed = broker.fresh();
  await broker.put(failed, broker.order('fail-provision'));
  await broker.endOf(failed);
  const gone = await broker.ready('basic');
  await broker.gone(gone, 'basic');
  for (const [instance, plan] of [
    [broker.fresh('none'), 'basic'],
    [failed, 'fail-provision'],
    [gone, 'basic'],
  ] as const) {
    const refused = await broker.patch(instance, { service_id: broker.ids(plan).service_id });
    expect([refused.status, refused.body['error']]).toEqual([404, 'NotFound']);
  }
});

check('UPD-17', async (broker) => {
  const instance = await broker.ready('basic', { parameters: { size: 1, cost_center: 'c', tags: { a: '1', b: '2' } } });
  const { service_id } = broker.ids('basic');
  const update = (parameters: unknown): ReturnType<typeof broker.patch> => broker.patch(instance, { service_id, parameters });
  expect((await update({ size: 2, tags: { b: null, c: '3' } })).status).toBe(200);
  expect((await broker.fetch(instance)).body['parameters']).toEqual({ size: 2, cost_center: 'c', tags: { a: '1', c: '3' } });
  expect((await update({ cost_center: null })).status).toBe(200);
  expect((await broker.fetch(instance)).body['parameters']).toEqual({ size: 2, tags: { a: '1', c: '3' } });
  expect((await update({ size: 9 })).status).toBe(400);
  expect((await update({ unknown: 1 })).status).toBe(400);
});

check('UPD-18', async (broker) => {
  const instance = await broker.ready('basic', { parameters: { size: 1 } });
  await broker.patch(instance, { service_id: broker.ids('basic').service_id, parameters: { size: 2 } });
  expect((await broker.put(instance, broker.order('basic', { parameters: { size: 1 } }))).status).toBe(200);
  await broker.patch(instance, { ...broker.ids('premium') });
  expect((await broker.put(instance, broker.order('basic', { parameters: { size: 1 } }))).status).toBe(409);
  expect((await broker.put(instance, broker.order('premium', { parameters: { size: 1 } }))).status).toBe(200);
});

check('UPD-19', async (broker) => {
  const instance = await broker.ready('fail-later');
  const failing = await broker.patch(instance, { service_id: broker.ids('fail-later').service_id });
  expect((await broker.endOf(instance, failing.operation)).body['state']).toBe('failed');
  const repair = await broker.patch(instance, broker.ids('ordinary'));
  expect(repair.status).toBe(202);
  expect((await broker.endOf(instance, repair.operation)).body['state']).toBe('succeeded');
  const binding = await broker.bound(instance, 'ordinary', { parameters: inWeb });
  expect((await broker.fetchBinding(instance, binding)).status).toBe(200);
});
