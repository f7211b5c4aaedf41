import { expect } from 'vitest';
import { AI, conformance, inWeb, query, type Answer, type Broker } from './broker.ts';

const check = conformance();
const states = ['in progress', 'succeeded', 'failed'];

interface Begun {
  readonly instance: string;
  readonly first: Answer;
}
async function beginProvision(broker: Broker, plan: string): Promise<Begun> {
  const instance = broker.fresh();
  return { instance, first: await broker.put(instance, broker.order(plan)) };
}
async function beginBind(broker: Broker, plan: string): Promise<Begun & { readonly binding: string }> {
  const [instance, binding] = [await broker.ready(plan), broker.fresh('b')];
  return { instance, binding, first: await broker.bind(instance, binding, { ...broker.ids(plan), parameters: inWeb }) };
}

check('LOI-01', async (broker) => {
  for (const [plan, end] of [
    ['queued', 'succeeded'],
    ['slow', 'succeeded'],
    ['fail-provision', 'failed'],
  ] as const) {
    const { instance } = await beginProvision(broker, plan);
    const seen = new Set<unknown>();
    const ended = await broker.end(async () => {
      const poll = await broker.poll(instance);
      expect(poll.status).toBe(200);
      seen.add(poll.body['state']);
      return poll;
    });
    expect(ended.body['state']).toBe(end);
    for (const state of seen) expect(states).toContain(state);
    if (plan === 'slow') expect(seen).toContain('in progress');
  }
});

check('LOI-02', async (broker) => {
  for (const plan of ['queued', 'fail-provision', 'hang-provision']) {
    const { instance } = await beginProvision(broker, plan);
    if (plan !== 'hang-provision') await broker.endOf(instance);
    const { body } = await broker.poll(instance);
    if ('description' in body) expect(body['description']).toMatch(/\S/);
    if (plan === 'fail-provision') expect(body['description']).toMatch(/on purpose/);
  }
});

check('LOI-03', async (broker) => {
  const poll = await broker.poll(broker.fresh('none'));
  expect([poll.status, poll.body['error']]).toEqual([404, 'NotFound']);
  expect((await broker.poll(broker.fresh('none'), 'operation=x')).status).toBe(404);
});

check('LOI-04', async (broker) => {
  const instance = await broker.ready('queued');
  const created = await broker.poll(instance);
  const { operation } = await broker.patch(instance, broker.ids('queued'));
  const updated = await broker.endOf(instance, operation);
  expect([created.status, updated.status]).toEqual([200, 200]);
  const gone = await broker.remove(instance, broker.del('queued'));
  const deleted = await broker.endOf(instance, gone.operation);
  expect([deleted.status, deleted.body]).toEqual([200, { state: 'succeeded' }]);
  expect((await broker.poll(instance, `operation=${operation}`)).status).toBe(200);
});

check('LOI-05', async (broker) => {
  const instance = await broker.ready('queued');
  expect((await broker.poll(instance, 'operation=')).status).toBe(200);
  expect((await broker.poll(instance, 'operation=a&operation=b')).status).toBe(400);
  expect((await broker.poll(instance, `operation=${'x'.repeat(10_001)}`)).status).toBe(400);
  expect((await broker.poll(instance, 'operation=%00')).status).toBe(400);
});

check('LOI-06', async (broker) => {
  const instance = await broker.ready('ordinary');
  await broker.patch(instance, broker.ids('slow'));
  const { service_id: service } = broker.ids('ordinary');
  for (const search of ['', query(broker.ids('ordinary')), query(broker.ids('slow')), `service_id=${service}`, 'service_id=x&plan_id=y']) {
    expect((await broker.poll(instance, search)).status).toBe(200);
  }
  expect((await broker.endOf(instance)).body['state']).toBe('succeeded');
});

check('LOI-07', async (broker) => {
  const { instance, first } = await beginProvision(broker, 'hang-update');
  await broker.endOf(instance, first.operation);
  const update = await broker.patch(instance, { service_id: broker.ids('hang-update').service_id });
  const of = async ({ operation }: Answer): Promise<unknown> => (await broker.poll(instance, `operation=${operation}`)).body['state'];
  expect([await of(first), await of(update)]).toEqual(['succeeded', 'in progress']);
});

check('LOI-08', async (broker) => {
  const instance = await broker.ready('hang-update');
  await broker.patch(instance, { service_id: broker.ids('hang-update').service_id });
  for (const search of ['', 'operation=provision', 'operation=update', 'operation=deprovision', 'operation=%F0%9F%A6%86']) {
    expect((await broker.poll(instance, search)).body['state']).toBe('in progress');
  }
});

check('LOI-09', async (broker) => {
  const { instance } = await beginProvision(broker, 'slow');
  const running = await broker.poll(instance);
  expect(running.body['state']).toBe('in progress');
  expect(running.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  const ended = await broker.endOf(instance);
  const failed = await broker.endOf((await beginProvision(broker, 'fail-provision')).instance);
  for (const { headers } of [ended, failed]) expect(headers.get('retry-after')).toBeNull();
});

check('LOI-10', async (broker) => {
  const gone = await broker.ready('queued');
  const { operation } = await broker.remove(gone, broker.del('queued'));
  await broker.endOf(gone, operation);
  await broker.rows(`update service_instance set gone_at = clock_timestamp() - interval '71 hours' where instance_id = $1`, [gone]);
  const { instance: failed } = await beginProvision(broker, 'fail-provision');
  await broker.endOf(failed);
  for (const [instance, state] of [
    [await broker.ready('queued'), 'succeeded'],
    [gone, 'succeeded'],
    [failed, 'failed'],
  ] as const) {
    const polls = await Promise.all(Array.from({ length: 5 }, () => broker.poll(instance)));
    expect(new Set(polls.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(polls[0]?.body['state']).toBe(state);
  }
});

check('LOI-11', async (broker) => {
  const { instance, first } = await beginProvision(broker, 'overdue');
  expect(first.status).toBe(202);
  const ended = await broker.endOf(instance, first.operation);
  expect(ended.body['state']).toBe('failed');
  expect(ended.body['description']).toMatch(/time that the plan allows/);
  for (const until = performance.now() + 15_000; performance.now() < until;) {
    const open = await broker.rows('select 1 from operation where id = $1 and finished_at is null', [first.operation]);
    if (open.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await broker.rows('select state from service_instance where instance_id = $1', [instance])).toEqual([{ state: 'failed' }]);
  expect((await broker.poll(instance, `operation=${first.operation}`)).body['state']).toBe('failed');
  await broker.gone(instance, 'overdue');
});

check('LOI-12', async (broker) => {
  const keys = async (instance: string): Promise<readonly string[]> => Object.keys((await broker.endOf(instance)).body).sort();
  const { instance: never } = await beginProvision(broker, 'fail-provision');
  expect(await keys(never)).toEqual(['description', 'state']);
  const instance = await broker.ready('fail-later');
  expect(await keys(instance)).toEqual(['state']);
  await broker.patch(instance, { service_id: broker.ids('fail-later').service_id });
  expect(await keys(instance)).toEqual(['description', 'instance_usable', 'state', 'update_repeatable']);
  await broker.remove(instance, broker.del('fail-later'));
  expect(await keys(instance)).toEqual(['description', 'instance_usable', 'state']);
});

check('LOI-13', async (broker) => {
  const instance = await broker.ready('basic');
  const poll = await broker.poll(instance);
  expect([poll.status, poll.body]).toEqual([200, { state: 'succeeded' }]);
});

check('LOI-14', async (broker) => {
  const { instance, first } = await beginProvision(broker, 'hang-provision');
  const gone = await broker.remove(instance, broker.del('hang-provision'));
  const created = await broker.poll(instance, `operation=${first.operation}`);
  expect(created.body).toMatchObject({ state: 'failed', description: expect.stringMatching(/deleted/) as string });
  await broker.endOf(instance, gone.operation);
  expect((await broker.poll(instance)).body['state']).toBe('succeeded');
  expect((await broker.poll(instance, `operation=${first.operation}`)).body['state']).toBe('failed');
});

check('LOB-01', async (broker) => {
  for (const [plan, end] of [
    ['queued', 'succeeded'],
    ['slow', 'succeeded'],
    ['fail-later', 'failed'],
  ] as const) {
    const { instance, binding } = await beginBind(broker, plan);
    const ended = await broker.end(async () => {
      const poll = await broker.pollBinding(instance, binding);
      expect(states).toContain(poll.body['state']);
      return poll;
    });
    expect(ended.body['state']).toBe(end);
    if ('description' in ended.body) expect(ended.body['description']).toMatch(/\S/);
  }
});

check('LOB-02', async (broker) => {
  const [instance, other] = [await broker.ready('queued'), await broker.ready('queued')];
  const binding = await broker.bound(instance, 'queued');
  for (const [of, id] of [
    [instance, broker.fresh('none')],
    [other, binding],
    [broker.fresh('none'), binding],
  ] as const) {
    const poll = await broker.pollBinding(of, id);
    expect([poll.status, poll.body['error']]).toEqual([404, 'NotFound']);
  }
});

check('LOB-03', async (broker) => {
  const { instance, binding, first } = await beginBind(broker, 'queued');
  expect((await broker.endOfBinding(instance, binding)).status).toBe(200);
  const gone = await broker.unbind(instance, binding, broker.del('queued'));
  const ended = await broker.endOfBinding(instance, binding, gone.operation);
  expect([ended.status, ended.body]).toEqual([200, { state: 'succeeded' }]);
  expect((await broker.pollBinding(instance, binding, `operation=${first.operation}`)).status).toBe(200);
});

check('LOB-04', async (broker) => {
  const { instance, binding } = await beginBind(broker, 'queued');
  for (const search of ['operation=a&operation=b', `operation=${'x'.repeat(10_001)}`, 'operation=%00']) {
    const poll = await broker.pollBinding(instance, binding, search);
    expect([poll.status, poll.body['error']]).toEqual([400, 'BadRequest']);
  }
});

check('LOB-05', async (broker) => {
  const { instance, binding, first } = await beginBind(broker, 'slow');
  const running = await broker.pollBinding(instance, binding);
  expect(running.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  const ended = await broker.endOfBinding(instance, binding);
  expect(ended.headers.get('retry-after')).toBeNull();
  for (const search of ['', 'operation=bind', `operation=${first.operation}`, 'service_id=x&plan_id=y', 'operation=']) {
    const poll = await broker.pollBinding(instance, binding, search);
    expect([poll.status, poll.body]).toEqual([200, { state: 'succeeded' }]);
  }
  const atOnce = await broker.ready('basic');
  expect((await broker.pollBinding(atOnce, await broker.bound(atOnce, 'basic'))).body).toEqual({ state: 'succeeded' });
});

check('LOB-06', async (broker) => {
  const { instance, binding, first } = await beginBind(broker, 'queued');
  await broker.endOfBinding(instance, binding);
  const gone = await broker.unbind(instance, binding, query(broker.ids('queued')) + `&${AI}`);
  for (const { status, operation } of [first, gone]) expect([status, operation]).toEqual([202, expect.stringMatching(/./)]);
  expect(first.operation).not.toBe(gone.operation);
});

check('LOB-07', async (broker) => {
  const bind = await beginBind(broker, 'fail-later');
  const unbind = await broker.ready('fail-unbind');
  const binding = await broker.bound(unbind, 'fail-unbind');
  await broker.unbind(unbind, binding, broker.del('fail-unbind'));
  for (const ended of [await broker.endOfBinding(bind.instance, bind.binding), await broker.endOfBinding(unbind, binding)]) {
    expect(Object.keys(ended.body).sort()).toEqual(['description', 'state']);
    expect(ended.body['state']).toBe('failed');
  }
  expect((await broker.fetchBinding(unbind, binding)).status).toBe(200);
});

check('LOB-08', async (broker) => {
  for (const plan of ['queued', 'slow']) {
    const { instance, binding } = await beginBind(broker, plan);
    const ended = await broker.endOfBinding(instance, binding);
    const fetched = await broker.fetchBinding(instance, binding);
    expect([ended.body['state'], fetched.status]).toEqual(['succeeded', 200]);
    expect(fetched.body['credentials']).toBeDefined();
  }
});
