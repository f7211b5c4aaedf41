import { expect } from 'vitest';
import { toOsbError } from '../../src/api/osb/errors.ts';
import { BrokerError } from '../../src/kernel/errors.ts';
import { Broker, conformance, inWeb, query } from './broker.ts';
import { refusedRequests } from './refused-requests.ts';

const check = conformance();
const reserved = ['AsyncRequired', 'ConcurrencyError', 'RequiresApp', 'MaintenanceInfoConflict'];

check('ERR-01', async (broker) => {
  for (const { what, send } of await refusedRequests(broker)) {
    const { body } = await send();
    expect(body['error'], what).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(body['description'], what).toBeTypeOf('string');
    expect(body['description'], what).not.toBe('');
  }
});
check('ERR-02', async (broker) => {
  const seen = new Set<unknown>();
  for (const { what, status, send } of await refusedRequests(broker)) {
    const { body } = await send();
    if (!reserved.includes(String(body['error']))) continue;
    seen.add(body['error']);
    expect(status, what).toBe(422);
    const kind = { AsyncRequired: /asynchronous/, ConcurrencyError: /update|new/, MaintenanceInfoConflict: /version/ };
    expect(what).toMatch(kind[body['error'] as keyof typeof kind]);
  }
  expect([...seen].sort()).toEqual(['AsyncRequired', 'ConcurrencyError', 'MaintenanceInfoConflict']);
});
check('ERR-03', async (broker) => {
  for (const { what, send } of await refusedRequests(broker)) {
    const { body } = await send();
    if (!/^(update|deprovision)/.test(what)) expect(body, what).not.toHaveProperty('instance_usable');
    else expect([undefined, true, false]).toContain(body['instance_usable']);
  }
  const fixed = await broker.ready('plain');
  expect((await broker.patch(fixed, broker.ids('basic'))).body).toMatchObject({ instance_usable: true });
});
check('ERR-04', async (broker) => {
  for (const { what, send } of await refusedRequests(broker)) {
    const { body } = await send();
    if (!what.startsWith('update')) expect(body, what).not.toHaveProperty('update_repeatable');
  }
  const fixed = await broker.ready('plain');
  const answer = await broker.patch(fixed, broker.ids('basic'));
  expect([answer.status, answer.body['update_repeatable']]).toEqual([422, false]);
});
check('ERR-05', async (broker) => {
  const fixed = await broker.ready('plain');
  const answer = await broker.patch(fixed, broker.ids('premium'));
  expect(answer.body['description']).toMatch(/plain.*premium/);
});
check('ERR-06', async () => {
  const broker = await Broker.open();
  const instance = await broker.ready('basic');
  await broker.app.database.run('alter table service_instance rename to service_instance_away');
  try {
    for (const answer of [
      await broker.fetch(instance, '', { broken: true }),
      await broker.put(broker.fresh(), broker.order('basic'), '', { broken: true }),
      await broker.remove(instance, query(broker.ids('basic')), { broken: true }),
    ]) {
      expect(answer.status).toBe(500);
      expect(answer.body).toEqual({
        error: 'InternalError',
        description: 'The broker failed; its log has the reason under the request id.',
      });
    }
  } finally {
    await broker.app.database.run('alter table service_instance_away rename to service_instance');
    await broker.app.close();
  }
});
check('ERR-07', async (broker) => {
  const asynchronous = await broker.put(broker.fresh(), broker.order('queued'), '');
  expect(asynchronous.body).toEqual({
    error: 'AsyncRequired',
    description: 'This service plan requires client support for asynchronous service operations.',
  });
  const creating = broker.fresh();
  await broker.put(creating, broker.order('hang-provision'));
  const busy = await broker.bind(creating, 'b', { ...broker.ids('hang-provision'), parameters: inWeb });
  expect(busy.body).toEqual({
    error: 'ConcurrencyError',
    description: 'The Service Broker does not support concurrent requests that mutate the same resource.',
  });
  // No plan needs an app, so this one is asked of the function that writes every refusal.
  expect(toOsbError(new BrokerError('requires-app', 'x'), 'serviceBinding.binding')).toMatchObject({
    status: 422,
    body: {
      error: 'RequiresApp',
      description: 'This service supports generation of credentials through binding an application only.',
    },
  });
});
