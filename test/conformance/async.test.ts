import { expect } from 'vitest';
import { AI, conformance, inWeb, query, type Answer, type Broker, type Ids } from './broker.ts';

const check = conformance();
const refusedAs = (error: string, answer: Answer): void =>
  expect({ status: answer.status, error: answer.body['error'] }).toEqual({ status: 422, error });
const bindOf = (ids: Ids, name = 'web'): object => ({ ...ids, parameters: { consumer: { ...inWeb.consumer, namespace: name } } });
type Change = readonly [what: string, send: (search: string) => Promise<Answer>];
/** The five changes, to be sent one after the other once each before has ended; `end` waits for it. */
async function changes(broker: Broker, plan: string): Promise<{ readonly all: readonly Change[]; readonly end: () => Promise<void> }> {
  const instance = broker.fresh();
  const binding = broker.fresh('b');
  const ids = broker.ids(plan);
  const remove = (search: string): string => `${query(ids)}&${search}`;
  const all: readonly Change[] = [
    ['provision', (search) => broker.put(instance, broker.order(plan), search)],
    ['update', (search) => broker.patch(instance, { service_id: ids.service_id, context: { a: 1 } }, search)],
    ['bind', (search) => broker.bind(instance, binding, bindOf(ids), search)],
    ['unbind', (search) => broker.unbind(instance, binding, remove(search))],
    ['deprovision', (search) => broker.remove(instance, remove(search))],
  ];
  const end = async (): Promise<void> => {
    const ends = [await broker.end(() => broker.poll(instance)), await broker.end(() => broker.pollBinding(instance, binding))];
    for (const { status, body } of ends) if (status === 200) expect(body['state']).toBe('succeeded');
  };
  return Promise.resolve({ all, end });
}
const count = async ({ rows }: Broker): Promise<number> => (await rows('select 1 from operation')).length;

check('ASY-01', async (broker) => {
  const { all, end } = await changes(broker, 'queued');
  for (const [what, send] of all) {
    const before = await count(broker);
    for (const search of ['', 'accepts_incomplete=false']) refusedAs('AsyncRequired', await send(search));
    expect(await count(broker), what).toBe(before);
    expect((await send(AI)).status).toBe(202);
    await end();
  }
});
check('ASY-02', async (broker) => {
  const { all, end } = await changes(broker, 'queued');
  for (const [what, send] of all) {
    expect((await send(AI)).status, what).toBe(202);
    await end();
  }
});
check('ASY-03', async (broker) => {
  for (const plan of ['basic', 'queued', 'slow-at-once']) {
    const { all, end } = await changes(broker, plan);
    for (const [what, send] of all) {
      for (const search of ['', 'accepts_incomplete=false']) expect((await send(search)).status, what).not.toBe(202);
      await send(AI);
      await end();
    }
  }
});
check('ASY-04', async (broker) => {
  const { all } = await changes(broker, 'basic');
  for (const [what, send] of all) expect([200, 201], what).toContain((await send(AI)).status);
});
check('ASY-05', async (broker) => {
  const { all } = await changes(broker, 'basic');
  const [provision, update, bind, unbind, deprovision] = all.map(([, send]) => send);
  const objects = (): number => broker.app.mesh.objects.size;
  expect((await provision?.(''))?.status).toBe(201);
  expect(objects()).toBeGreaterThan(0);
  const guarded = new Set(broker.app.mesh.objects.keys());
  expect((await update?.(''))?.status).toBe(200);
  expect((await bind?.(''))?.status).toBe(201);
  const granted = [...broker.app.mesh.objects.values()].filter((one) => JSON.stringify(one).includes('ns/web/sa/frontend'));
  expect(granted.length).toBeGreaterThan(0);
  expect((await unbind?.(''))?.status).toBe(200);
  expect(new Set(broker.app.mesh.objects.keys())).toEqual(guarded);
  expect((await deprovision?.(''))?.status).toBe(200);
});
check('ASY-06', async (broker) => {
  const { all, end } = await changes(broker, 'basic');
  for (const [what, send] of all) {
    const before = await count(broker);
    for (const value of ['1', 'TRUE', 'True', 'banana', '', 'true,false', 'true&accepts_incomplete=true', 'true&accepts_incomplete=false'])
      expect((await send(`accepts_incomplete=${value}`)).status, `${what} ${value}`).toBe(400);
    expect(await count(broker), what).toBe(before);
    expect([200, 201]).toContain((await send('accepts_incomplete=false')).status);
    await end();
  }
});
check('ASY-07', async (broker) => {
  const { all, end } = await changes(broker, 'queued');
  for (const [, send] of all) {
    const { status, text } = await send(AI);
    expect(status).toBe(202);
    expect(text).toMatch(/^\{.+\}$/s);
    await end();
  }
});
check('ASY-08', async (broker) => {
  const { all, end } = await changes(broker, 'queued');
  for (const [what, send] of all) {
    const { operation } = (await send(AI)).body;
    expect(operation, what).toBeTypeOf('string');
    expect(String(operation)).toMatch(/^.{1,255}$/);
    await end();
  }
});
check('ASY-09', async (broker) => {
  const { all, end } = await changes(broker, 'slow');
  for (const [what, send] of all) {
    const before = await count(broker);
    const [first, second, third] = [await send(AI), await send(AI), await send(AI)];
    expect([first.status, second.status, third.status], what).toEqual([202, 202, 202]);
    expect([second.operation, third.operation]).toEqual([first.operation, first.operation]);
    expect(await count(broker), what).toBe(before + 1);
    await end();
  }
});
check('ASY-10', async (broker) => {
  const instance = await broker.ready('queued');
  for (const parameters of [inWeb, { consumer: { kind: 'off-mesh' } }]) {
    const answer = await broker.bind(instance, broker.fresh('b'), { ...broker.ids('queued'), parameters });
    expect([answer.status, Object.keys(answer.body)]).toEqual([202, ['operation']]);
  }
});
check('ASY-11', async (broker) => {
  for (const search of ['', 'accepts_incomplete=false', AI]) {
    const { all } = await changes(broker, 'basic');
    const seen = [];
    for (const [what, send] of all) seen.push([what, (await send(search)).status]);
    expect(Object.fromEntries(seen)).toEqual({ provision: 201, update: 200, bind: 201, unbind: 200, deprovision: 200 });
  }
});

const updating = async (broker: Broker): Promise<string> => {
  const instance = await broker.ready('hang-update');
  const started = await broker.patch(instance, { service_id: broker.ids('hang-update').service_id, parameters: { a: 1 } });
  expect(started.status).toBe(202);
  return instance;
};
check('CON-01', async (broker) => {
  const creating = broker.fresh();
  await broker.put(creating, broker.order('hang-provision'));
  refusedAs('ConcurrencyError', await broker.patch(creating, { service_id: broker.ids('hang-provision').service_id }));
  const busy = await updating(broker);
  refusedAs('ConcurrencyError', await broker.patch(busy, { service_id: broker.ids('hang-update').service_id, parameters: { a: 2 } }));
  refusedAs('ConcurrencyError', await broker.remove(busy, broker.del('hang-update')));
});
check('CON-02', async (broker) => {
  const instance = await broker.ready('slow');
  const names = ['web', 'batch', 'cron'];
  const bindings = names.map((name) => [name, broker.fresh('b')] as const);
  const answers = await Promise.all(bindings.map(([name, id]) => broker.bind(instance, id, bindOf(broker.ids('slow'), name))));
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  for (const [, id] of bindings) expect((await broker.endOfBinding(instance, id)).body['state']).toBe('succeeded');
  const busy = await updating(broker);
  refusedAs('ConcurrencyError', await broker.bind(busy, broker.fresh('b'), bindOf(broker.ids('hang-update'))));
});
check('CON-03', async (broker) => {
  const busy = await updating(broker);
  for (let turn = 0; turn < 2; turn += 1) refusedAs('ConcurrencyError', await broker.remove(busy, broker.del('hang-update')));
  expect((await broker.poll(busy)).body['state']).toBe('in progress');
});
check('CON-05', async (broker) => {
  refusedAs('ConcurrencyError', await broker.fetch(await updating(broker)));
});
check('CON-06', async (broker) => {
  for (const [plan, statuses] of [
    ['basic', [200, 201]],
    ['slow', [202]],
  ] as const) {
    const instance = broker.fresh();
    const answers = await Promise.all(Array.from({ length: 50 }, () => broker.put(instance, broker.order(plan))));
    expect([...new Set(answers.map(({ status }) => status))].sort()).toEqual(statuses);
    expect(new Set(answers.map(({ operation }) => operation)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201).length).toBe(plan === 'basic' ? 1 : 0);
    expect(await broker.rows('select 1 from service_instance where instance_id = $1', [instance])).toHaveLength(1);
    expect((await broker.endOf(instance)).body['state']).toBe('succeeded');
    const started = await broker.rows(
      'select 1 from operation where resource_id in (select id::text from service_instance where instance_id = $1)',
      [instance],
    );
    expect(started).toHaveLength(1);
  }
});
check('CON-07', async (broker) => {
  const instance = await broker.ready('hang-delete');
  const binding = await broker.bound(instance, 'hang-delete');
  expect((await broker.unbind(instance, binding, broker.del('hang-delete'))).status).toBe(202);
  refusedAs('ConcurrencyError', await broker.bind(instance, binding, bindOf(broker.ids('hang-delete'))));
  expect((await broker.remove(instance, broker.del('hang-delete'))).status).toBe(202);
  refusedAs('ConcurrencyError', await broker.put(instance, broker.order('hang-delete')));
  refusedAs('ConcurrencyError', await broker.put(instance, broker.order('basic')));
});
