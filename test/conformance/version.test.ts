import { expect } from 'vitest';
import { conformance, query } from './broker.ts';
import { everyOperation } from './operations.ts';

const check = conformance();

check('VER-01', async (broker) => {
  for (const version of ['1.0', '3.0', 'abc', '2', '2.x', '2.10', 'v2.17', '2.17.1', '2.-1', '2.17, 2.16']) {
    const answer = await broker.call('GET', '/v2/catalog', { version });
    expect(answer.status, version).toBe(412);
    expect(answer.body['description']).toContain('2.17');
  }
  for (const { what, send } of await everyOperation(broker)) expect((await send({ version: '3.0' })).status, what).toBe(412);
});
check('VER-02', async (broker) => {
  for (const version of [null, ''])
    for (const { what, send } of await everyOperation(broker)) {
      const answer = await send({ version });
      expect(answer.status, what).toBe(412);
      expect(answer.body['description']).toContain('X-Broker-API-Version');
    }
});
check('VER-03', async (broker) => {
  for (const version of ['2.11', '2.12', '2.13', '2.14', '2.15', '2.16', '2.17', '2.18', '2.99'])
    expect((await broker.call('GET', '/v2/catalog', { version })).status, version).toBe(200);
  expect((await broker.call('GET', '/v2/catalog', { version: '2.9' })).status).toBe(412);
  const newest = await broker.call('GET', '/v2/catalog', { version: '2.17' });
  expect((await broker.call('GET', '/v2/catalog', { version: '2.99' })).text).toBe(newest.text);
});
check('VER-04', async (broker) => {
  for (const version of ['2.11', '2.12', '2.13', '2.14', '2.15', '2.16', '2.17']) {
    const answers = [];
    for (const { what, send } of await everyOperation(broker)) answers.push([what, (await send({ version })).status]);
    expect(Object.fromEntries(answers), version).toEqual({
      'catalog': 200, 'provision': 201, 'fetch': 200, 'poll': 200, 'update': 200,
      'bind': 201, 'fetch binding': 200, 'poll binding': 200, 'unbind': 200, 'deprovision': 200,
    }); // prettier-ignore
    const id = broker.fresh();
    expect((await broker.put(id, broker.order('queued'), 'accepts_incomplete=true', { version })).status).toBe(202);
    expect((await broker.end(() => broker.poll(id, '', { version }))).body['state']).toBe('succeeded');
    const removed = await broker.remove(id, `${query(broker.ids('queued'))}&accepts_incomplete=true`, { version });
    expect(removed.status).toBe(202);
    expect((await broker.end(() => broker.poll(id, '', { version }))).body['state']).toBe('succeeded');
  }
});
