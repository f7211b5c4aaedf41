import 'reflect-metadata';
import { request } from 'node:https';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { expect } from 'vitest';
import { memoryMesh } from '../../src/mesh/drivers/memory.ts';
import { createTestApp } from '../support/app.ts';
import { basic } from '../support/osb-client.ts';
import { AI, Broker, conformance, inWeb, query, type Answer } from './broker.ts';
import { everyOperation } from './operations.ts';
import { refusedRequests } from './refused-requests.ts';

const check = conformance();

check('GEN-01', async (broker) => {
  for (const { what, status, send } of await refusedRequests(broker)) {
    const answer = await send();
    expect(answer.status, `${what}: ${answer.text}`).toBe(status);
  }
});
check('GEN-02', async (broker) => {
  const requests = await refusedRequests(broker);
  const before = await everything(broker);
  for (const { what, send } of requests) {
    expect((await send()).status).toBeGreaterThanOrEqual(400);
    expect(await everything(broker), what).toEqual(before);
  }
});
/** What a request might change. The audit is not part of it: refusals are written there. */
async function everything({ app, rows }: Broker): Promise<unknown> {
  const instances = await rows(
    'select id, instance_id, state, plan_id, plan_ids, snapshot_hash, context, parameters, maintenance_version from service_instance order by id',
  );
  const bindings = await rows(
    'select id, binding_id, state, plan_id, context, bind_resource, parameters, exposure from service_binding order by id',
  );
  const operations = await rows('select id, kind, resource_id from operation order by id');
  return { instances, bindings, operations, mesh: [...app.mesh.objects] };
}
check('GEN-03', async () => {
  const mesh = memoryMesh();
  let broken = false;
  const driver: typeof mesh = {
    ...mesh,
    apply: (write, isCurrent) => (broken ? Promise.reject(new Error('no mesh: /src/secret.ts')) : mesh.apply(write, isCurrent)),
  };
  const broker = await Broker.open({ driver, environment: { MESHBROKER_SYNC_TIMEOUT_SECONDS: '1' } });
  try {
    const instance = await broker.ready('basic');
    const before = [...mesh.objects.keys()];
    broken = true;
    const fault = await broker.bind(instance, 'b', { ...broker.ids('basic'), parameters: inWeb }, AI, { broken: true });
    expect(fault.status).toBeGreaterThanOrEqual(500);
    broken = false;
    expect([200, 410]).toContain((await broker.unbind(instance, 'b', broker.del('basic'))).status);
    expect((await broker.fetchBinding(instance, 'b')).status).toBe(404);
    expect([...mesh.objects.keys()]).toEqual(before);
  } finally {
    await broker.app.close();
  }
});
check('GEN-04', async (broker) => {
  for (const { send } of await refusedRequests(broker)) isJson(await send());
  for (const { send } of await everyOperation(broker)) isJson(await send());
});
const isJson = (answer: Answer): void => {
  expect(answer.headers.get('content-type')).toMatch(/^application\/json(;|$)/);
  expect(answer.text).toMatch(/^\{.*\}$/s);
};
check('GEN-05', async ({ app, order, instancePath, fresh }) => {
  const response = await fetch(`${app.url}${instancePath(fresh())}`, {
    method: 'PUT',
    headers: { authorization: basic(app.platform), 'x-broker-api-version': '2.17' },
    body: new TextEncoder().encode(JSON.stringify(order('basic'))),
  });
  expect(response.status).toBe(201);
});
check('GEN-06', async (broker) => {
  const id = broker.fresh();
  for (const body of ['{', '[]', '"x"', 'null', '', 'garbage', '{"a":1}}']) {
    for (const send of [broker.put(id, body), broker.patch(id, body), broker.bind(id, 'b', body)])
      expect((await send).status, body).toBe(400);
  }
  expect((await broker.put(id, 'garbage', AI, { headers: { 'content-type': 'text/plain' } })).status).toBe(400);
  expect((await broker.remove(id, query(broker.ids('basic')))).status).toBe(410);
});
check('GEN-07', async (broker) => {
  const calls = [...(await everyOperation(broker)), ...(await everyOperation(broker, 'hang-provision'))];
  for (const { what, send } of calls) {
    const start = performance.now();
    await send();
    expect(performance.now() - start, what).toBeLessThan(5_000);
  }
});
check('GEN-08', async () => {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const certificate = await X509CertificateGenerator.createSelfSigned({ name: 'CN=localhost', keys, signingAlgorithm });
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const cert = certificate.toString('pem');
  const app = await createTestApp({ tls: { cert, key } });
  try {
    const headers = { authorization: basic(app.platform), 'x-broker-api-version': '2.17' };
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${app.url}/v2/catalog`, { ca: cert, checkServerIdentity: () => undefined, headers });
      sent.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      sent.end();
    });
    expect(status).toBe(200);
  } finally {
    await app.close();
  }
});
check('GEN-09', async (broker) => {
  const other = { login: broker.app.secondPlatform };
  const id = await broker.ready('basic');
  const binding = await broker.bound(id, 'basic');
  for (const read of [broker.fetch(id, '', other), broker.poll(id, '', other), broker.fetchBinding(id, binding, '', other)])
    expect((await read).status).toBe(404);
  expect((await broker.remove(id, broker.del('basic'), other)).status).toBe(410);
  expect((await broker.put(id, broker.order('premium'), AI, other)).status).toBe(201);
  expect((await broker.bind(id, binding, { ...broker.ids('premium'), parameters: inWeb }, AI, other)).status).toBe(201);
  expect((await broker.fetch(id, '', other)).body['plan_id']).toBe(broker.ids('premium').plan_id);
  expect((await broker.remove(id, broker.del('premium'), other)).status).toBe(200);
  expect((await broker.fetch(id)).body['plan_id']).toBe(broker.ids('basic').plan_id);
  expect((await broker.fetchBinding(id, binding)).status).toBe(200);
});
check('GEN-10', async (broker) => {
  for (const path of ['/v2/nope', '/v2', '/v2/service_instances', '/v2/service_instances/i/nope'])
    expect((await broker.call('GET', path)).status, path).toBe(404);
  for (const [method, path, allowed] of [
    ['POST', '/v2/catalog', ['GET', 'HEAD']],
    ['POST', '/v2/service_instances/i', ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']],
    ['PATCH', '/v2/service_instances/i/service_bindings/b', ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['DELETE', '/v2/service_instances/i/last_operation', ['GET', 'HEAD']],
  ] as const) {
    const answer = await broker.call(method, path);
    expect(answer.status, `${method} ${path}`).toBe(405);
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(allowed);
  }
});
check('GEN-11', async (broker) => {
  const huge = JSON.stringify(broker.order('basic', { x_filler: 'x'.repeat(2 * 1024 * 1024) }));
  expect((await broker.put(broker.fresh(), huge)).status).toBe(413);
});
