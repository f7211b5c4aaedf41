import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { AI, Broker, catalogDirectory, conformance, inWeb, query } from './broker.ts';
import { inMesh } from './in-mesh.ts';

const check = conformance();

check('DEP-01', async (broker) => {
  for (const plan of ['basic', 'queued', 'standard']) {
    const instance = await broker.ready(plan);
    const bindings = [await broker.bound(instance, plan), await broker.bound(instance, plan, {})];
    for (const id of bindings) expect(await inMesh(broker, id)).not.toEqual([]);
    await broker.gone(instance, plan);
    for (const id of [instance, ...bindings]) expect(await inMesh(broker, id)).toEqual([]);
    const { service_id: service } = broker.ids(plan);
    const guards = [...broker.app.mesh.objects.values()].filter(
      ({ metadata }) => metadata.annotations['meshbroker.dev/offering-id'] === service,
    );
    expect(guards).not.toEqual([]);
  }
});

check('DEP-02', async (broker) => {
  for (const search of ['', `&${AI}`, '&accepts_incomplete=false']) {
    const instance = await broker.ready('basic');
    const gone = await broker.remove(instance, query(broker.ids('basic')) + search);
    expect([gone.status, gone.body]).toEqual([200, {}]);
    expect((await broker.fetch(instance)).status).toBe(404);
  }
});

check('DEP-03', async (broker) => {
  const instance = await broker.ready('hang-delete');
  const first = await broker.remove(instance, broker.del('hang-delete'));
  const again = await broker.remove(instance, broker.del('hang-delete'));
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(first.operation).toMatch(/./);
  expect(again.body).toEqual({ operation: first.operation });
  expect((await broker.poll(instance)).body['state']).toBe('in progress');
});

check('DEP-04', async (broker) => {
  const instance = await broker.ready('basic');
  await broker.remove(instance, broker.del('basic'));
  for (const id of [instance, broker.fresh('none')]) {
    const gone = await broker.remove(id, broker.del('basic'));
    expect([gone.status, gone.body['error']]).toEqual([410, 'Gone']);
  }
});

check('DEP-05', async (broker) => {
  const { service_id: service, plan_id: plan } = broker.ids('queued');
  for (const instance of [await broker.ready('queued'), broker.fresh('none')]) {
    for (const search of [
      '',
      `service_id=${service}`,
      `plan_id=${plan}`,
      `service_id=&plan_id=${plan}`,
      `service_id=${service}&plan_id=`,
    ]) {
      const refused = await broker.remove(instance, search);
      expect([refused.status, refused.body['error']]).toEqual([400, 'BadRequest']);
      expect(refused.body['description']).toMatch(/service_id|plan_id/);
    }
    expect((await broker.remove(instance, query(broker.ids('queued')))).body['error']).toBe('AsyncRequired');
  }
  expect((await broker.remove(broker.fresh('none'), broker.del('queued'))).status).toBe(410);
});

check('DEP-06', async (broker) => {
  const queued = await broker.ready('queued');
  for (const search of ['', '&accepts_incomplete=false']) {
    const refused = await broker.remove(queued, query(broker.ids('queued')) + search);
    expect([refused.status, refused.body['error']]).toEqual([422, 'AsyncRequired']);
  }
  expect((await broker.fetch(queued)).status).toBe(200);
  const updating = await broker.ready('hang-update');
  await broker.patch(updating, { service_id: broker.ids('hang-update').service_id });
  const refused = await broker.remove(updating, broker.del('hang-update'));
  expect([refused.status, refused.body['error']]).toEqual([422, 'ConcurrencyError']);
});

check('DEP-07', async (broker) => {
  const instance = broker.fresh();
  const made = await broker.put(instance, broker.order('hang-provision'));
  const gone = await broker.remove(instance, broker.del('hang-provision'));
  expect([made.status, gone.status]).toEqual([202, 202]);
  expect((await broker.endOf(instance, gone.operation)).body['state']).toBe('succeeded');
  expect((await broker.poll(instance, `operation=${made.operation}`)).body['state']).toBe('failed');
  expect((await broker.remove(instance, broker.del('hang-provision'))).status).toBe(410);
  expect(await inMesh(broker, instance)).toEqual([]);
  expect(await broker.rows(`select 1 from service_instance where instance_id = $1 and state <> 'gone'`, [instance])).toEqual([]);
});

check('DEP-08', async (broker) => {
  for (const plan of ['basic', 'queued']) {
    const instance = await broker.ready(plan);
    const bindings = [await broker.bound(instance, plan), await broker.bound(instance, plan, {})];
    await broker.gone(instance, plan);
    for (const binding of bindings) {
      expect((await broker.fetchBinding(instance, binding)).status).toBe(404);
      expect((await broker.unbind(instance, binding, broker.del(plan))).status).toBe(410);
      expect(await inMesh(broker, binding)).toEqual([]);
    }
    await broker.ready('basic', {}, instance);
    for (const binding of bindings) await broker.bound(instance, 'basic', {}, binding);
  }
});

check('DEP-09', async (broker) => {
  const never = broker.fresh();
  await broker.put(never, broker.order('fail-provision'));
  expect((await broker.endOf(never)).body['state']).toBe('failed');
  await broker.gone(never, 'fail-provision');

  const later = await broker.ready('fail-later');
  await broker.patch(later, { service_id: broker.ids('fail-later').service_id });
  expect((await broker.endOf(later)).body['state']).toBe('failed');
  await broker.remove(later, broker.del('fail-later'));
  expect((await broker.endOf(later)).body['state']).toBe('failed');
  await broker.remove(later, broker.del('fail-later'));
  expect((await broker.endOf(later)).body['state']).toBe('succeeded');

  const atOnce = await broker.ready('fail-update-at-once');
  expect((await broker.patch(atOnce, { service_id: broker.ids('fail-update-at-once').service_id })).status).toBe(400);
  expect((await broker.remove(atOnce, broker.del('fail-update-at-once'))).status).toBe(400);
  expect((await broker.fetch(atOnce)).status).toBe(200);
  expect((await broker.remove(atOnce, broker.del('fail-update-at-once'))).status).toBe(200);
});

check('DEP-10', async (broker) => {
  const instance = await broker.ready('fail-later');
  const gone = await broker.remove(instance, broker.del('fail-later'));
  const ended = await broker.endOf(instance, gone.operation);
  expect(ended.body).toMatchObject({ state: 'failed', instance_usable: true, description: expect.stringMatching(/./) as string });
  expect(ended.body).not.toHaveProperty('update_repeatable');
  expect((await broker.fetch(instance)).status).toBe(200);
});

check('DEP-11', async (broker) => {
  const instance = await broker.ready('basic');
  const ids = broker.ids('basic');
  for (const wrong of [broker.ids('standard'), { ...ids, plan_id: 'x' }, { ...ids, plan_id: broker.ids('premium').plan_id }]) {
    expect((await broker.remove(instance, query(wrong))).status).toBe(400);
  }
  expect((await broker.fetch(instance)).status).toBe(200);

  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-catalog-'));
  await cp(catalogDirectory, directory, { recursive: true });
  const shrinking = await Broker.open({ environment: { MESHBROKER_CATALOG: directory } });
  try {
    const left = await shrinking.ready('standard');
    const binding = await shrinking.bound(left, 'standard');
    await rm(join(directory, 'payments.yaml'));
    await shrinking.app.app.catalog.refreshTask().activate(AbortSignal.timeout(10_000));
    const order = await shrinking.put(shrinking.fresh(), shrinking.order('standard'));
    expect([order.status, order.body['error']]).toEqual([400, 'BadRequest']);
    expect((await shrinking.fetchBinding(left, binding)).status).toBe(200);
    expect((await shrinking.bind(left, shrinking.fresh('b'), { ...shrinking.ids('standard'), parameters: inWeb })).status).toBe(201);
    expect((await shrinking.unbind(left, binding, shrinking.del('standard'))).status).toBe(200);
    expect((await shrinking.remove(left, shrinking.del('standard'))).status).toBe(200);
  } finally {
    await shrinking.app.close();
    await rm(directory, { recursive: true });
  }
});
