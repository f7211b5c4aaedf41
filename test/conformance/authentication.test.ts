import { expect } from 'vitest';
import { conformance, type Call } from './broker.ts';
import { everyOperation } from './operations.ts';

const check = conformance();
const header = (authorization: string): Call => ({ login: null, headers: { authorization } });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

check('AUTH-01', async (broker) => {
  const calls = await everyOperation(broker);
  expect(calls).toHaveLength(10);
  for (const { what, send } of calls) expect((await send({ login: null })).status, what).toBe(401);
});
check('AUTH-02', async (broker) => {
  const { user, password } = broker.app.platform;
  const wrong = [
    `Basic ${base64(`nobody:${password}`)}`,
    `Basic ${base64(`${user}:wrong`)}`,
    `Basic ${base64(`${user}:`)}`,
    `Basic ${base64(user)}`,
    'Basic !!!',
    'Basic',
    'Bearer x',
    `Digest ${base64(`${user}:${password}`)}`,
  ];
  for (const authorization of wrong) {
    const answer = await broker.call('GET', '/v2/catalog', header(authorization));
    expect(answer.status, authorization).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  }
});
check('AUTH-03', async (broker) => {
  for (const { what, send } of await everyOperation(broker)) expect([200, 201], what).toContain((await send()).status);
  const { user, password } = broker.app.platform;
  expect((await broker.call('GET', '/v2/catalog', header(`basic ${base64(`${user}:${password}`)}`))).status).toBe(200);
});
check('AUTH-05', async (broker) => {
  const garbage = { version: 'garbage', body: '{', headers: { 'x-broker-api-originating-identity': 'garbage' } };
  for (const { what, send } of (await everyOperation(broker)).filter(({ what: name }) => /provision|update|^bind/.test(name))) {
    const answer = await send({ ...garbage, login: { user: 'nobody', password: 'wrong' } });
    expect(answer.status, what).toBe(401);
    expect(answer.body['error']).toBe('Unauthorized');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
  }
  expect((await broker.call('GET', '/v2/nope', { login: null })).status).toBeGreaterThanOrEqual(400);
});
check('AUTH-06', async (broker) => {
  const login = { user: 'colons', password: 'a:b::ü€-long-enough-for-a-platform' };
  await broker.app.app.platforms.ensurePlatform({ name: login.user, password: login.password, mayBindFor: ['*'] });
  expect((await broker.call('GET', '/v2/catalog', { login })).status).toBe(200);
  for (const password of ['a', 'a:b::u€-long-enough-for-a-platform', `${login.password}x`])
    expect((await broker.call('GET', '/v2/catalog', { login: { ...login, password } })).status).toBe(401);
});
