import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type Ids, type OsbClient } from '../support/osb-client.ts';

let app: TestApp;
let client: OsbClient;
const plans = new Map<string, Ids>();
beforeAll(async () => {
  app = await createTestApp({ environment: { MESHBROKER_TRAINING: 'true' } });
  client = osbClient(app.url, app.platform);
  for (const offering of await client.catalog()) {
    for (const plan of offering.plans) plans.set(`${offering.name}/${plan.name}`, { service_id: offering.id, plan_id: plan.id });
  }
});
afterAll(() => app.close());

const ids = (name: string): Ids => {
  const found = plans.get(name);
  if (found === undefined) throw new Error(`no plan ${name} among ${[...plans.keys()].join(', ')}`);
  return found;
};
const order = (name: string): Record<string, string> => ({ ...ids(name), organization_guid: 'o', space_guid: 's' });
const web = { consumer: { kind: 'sidecar', namespace: 'web', service_account: 'web-frontend' } };
const count = async (sql: string, values: readonly unknown[] = []): Promise<number> => (await app.database.run(sql, values)).count;

describe('parallel requests', () => {
  test('8 identical provisions make one instance (CON-06)', async () => {
    for (const plan of ['reviews/standard', 'reviews/metered']) {
      const instance = `parallel-${plan}`;
      const path = `${client.instancePath(instance)}?accepts_incomplete=true`;
      const answers = await Promise.all(Array.from({ length: 8 }, () => client.call('PUT', path, order(plan))));
      expect(answers.every(({ status }) => [200, 201, 202].includes(status))).toBe(true);
      expect(answers.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(1);
      expect(new Set(answers.flatMap(({ body }) => body['operation'] ?? [])).size).toBeLessThanOrEqual(1);
      expect(await count('select 1 from service_instance where instance_id = $1', [instance])).toBe(1);
      const { count: operations } = await app.database.run(
        `select 1 from operation o join service_instance i on i.id::text = o.resource_id where i.instance_id = $1`,
        [instance],
      );
      expect(operations).toBe(1);
    }
  });
  test('8 identical binds make one binding and give the same credentials', async () => {
    await client.provision('parallel-bind', ids('details/standard'));
    const path = `${client.bindingPath('parallel-bind', 'b')}?accepts_incomplete=true`;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => client.call('PUT', path, { ...ids('details/standard'), parameters: web })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await count(`select 1 from service_binding where binding_id = 'b' and state = 'ready'`)).toBe(1);
  });
  test('conflicting provisions have one winner and 409 for the rest', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        client.call('PUT', `${client.instancePath('contested')}?accepts_incomplete=true`, {
          ...order('reviews/standard'),
          organization_guid: `o${n}`,
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(7);
  });
  test('two bindings of one instance are made side by side (CON-02)', async () => {
    await client.provision('side-by-side', ids('reviews/metered'));
    const made = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        client.bind('side-by-side', `side-${name}`, {
          ...ids('reviews/metered'),
          parameters: { consumer: { ...web.consumer, namespace: `team-${name}` } },
        }),
      ),
    );
    expect(made.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });
});

describe('a deletion during a creation', () => {
  test('cancels it and leaves nothing, though its training plan refuses the first deletion (DEP-07, DEP-09)', async () => {
    const path = `${client.instancePath('cancelled')}?accepts_incomplete=true`;
    const made = await client.call('PUT', path, order('ratings/training'));
    expect(made.status).toBe(202);
    expect(await client.deprovision('cancelled', ids('ratings/training'))).toMatchObject({ state: 'failed', instance_usable: true });
    expect((await client.get(client.instancePath('cancelled'))).status).toBe(404);
    expect(await client.deprovision('cancelled', ids('ratings/training'))).toMatchObject({ state: 'succeeded' });
    const { rows } = await app.database.run(`select state from service_instance where instance_id = 'cancelled'`);
    expect(rows).toEqual([{ state: 'gone' }]);
  });
});

describe('rotation', () => {
  test('overlaps: both certificates stand until the predecessor is unbound, and both belong to one lineage', async () => {
    const plan = ids('reviews/canary');
    await client.provision('rotating', plan);
    const first = await client.bind('rotating', 'first', { ...plan, parameters: { consumer: { kind: 'off-mesh' } } });
    const second = await client.bind('rotating', 'second', { predecessor_binding_id: 'first' });
    const [one, two] = [first, second].map(({ body }) => body['credentials'] as Record<string, string>);
    expect(one?.['spiffe-id']).not.toBe(two?.['spiffe-id']);
    for (const credentials of [one, two]) {
      const certificate = new X509Certificate(credentials?.['client-certificate'] ?? '');
      expect(certificate.subjectAltName).toBe(`URI:${credentials?.['spiffe-id'] ?? ''}`);
    }
    expect(await client.bind('rotating', 'second', { predecessor_binding_id: 'first' })).toMatchObject({ status: 200, body: second.body });
    const { rows } = await app.database.run<{ lineage_id: string }>(
      `select distinct lineage_id from service_binding where binding_id in ('first', 'second')`,
    );
    expect(rows).toHaveLength(1);
    expect(await client.unbind('rotating', 'first', plan)).toMatchObject({ state: 'succeeded' });
    expect((await client.get(client.bindingPath('rotating', 'second'))).status).toBe(200);
    expect(await client.bind('rotating', 'third', { predecessor_binding_id: 'second' })).toMatchObject({ status: 201 });
  });
  test('a used binding id that comes back is another identity: the old certificate opens nothing', async () => {
    const plan = ids('reviews/canary');
    await client.provision('again', plan);
    const bind = async (): Promise<unknown> =>
      (await client.bind('again', 'same-id', { ...plan, parameters: { consumer: { kind: 'off-mesh' } } })).body['credentials'];
    const before = (await bind()) as Record<string, string>;
    await client.unbind('again', 'same-id', plan);
    const after = (await bind()) as Record<string, string>;
    expect(after['spiffe-id']).not.toBe(before['spiffe-id']);
  });
});

describe('expiry', () => {
  test('at expires_at the grant is withdrawn, the binding can still be unbound, and it is no predecessor', async () => {
    const plan = ids('reviews/canary');
    await client.provision('expiring', plan);
    await client.bind('expiring', 'b-expiring', { ...plan, parameters: web });
    const { rows } = await app.database.run<{ ref: string }>(
      `update service_binding set expires_at = clock_timestamp(), renew_before = clock_timestamp() where binding_id = 'b-expiring' returning ref`,
    );
    const ref = rows[0]?.ref ?? '';
    const granted = (): boolean => [...app.mesh.objects.values()].some((object) => JSON.stringify(object.spec).includes(ref));
    for (const end = performance.now() + 5_000; granted() && performance.now() < end;) await new Promise((done) => setTimeout(done, 20));
    expect(granted()).toBe(false);
    const successor = await client.bind('expiring', 'next', { predecessor_binding_id: 'b-expiring' });
    expect(successor.status).toBe(400);
    expect(await client.unbind('expiring', 'b-expiring', plan)).toMatchObject({ state: 'succeeded' });
  });
});

describe('an update', () => {
  test('of the plan re-makes the routes of every binding, and an earlier provision is then another request (UPD-18)', async () => {
    await client.provision('upgraded', ids('reviews/standard'));
    await client.bind('upgraded', 'b-up', { ...ids('reviews/standard'), parameters: web });
    const routes = (): unknown =>
      [...app.mesh.objects.values()].find(
        ({ kind, metadata, spec }) =>
          kind === 'VirtualService' && metadata.namespace === 'web' && JSON.stringify(spec['hosts']).includes('reviews'),
      )?.spec;
    const before = routes();
    expect(await client.update('upgraded', ids('reviews/canary'))).toMatchObject({ state: 'succeeded' });
    expect(routes()).not.toEqual(before);
    expect((await client.get(client.instancePath('upgraded'))).body['plan_id']).toBe(ids('reviews/canary').plan_id);
    expect(await client.provision('upgraded', ids('reviews/standard'))).toMatchObject({ status: 409 });
    expect(await client.update('upgraded', ids('reviews/standard'))).toMatchObject({ state: 'succeeded' });
    expect(routes()).toEqual(before);
    await client.deprovision('upgraded', ids('reviews/standard'));
    expect(routes()).toBeUndefined();
  });
});

describe('an own key', () => {
  test('is used when the consumer sends a CSR; no private key is answered', async () => {
    const plan = ids('reviews/canary');
    const { csrFor } = await import('../support/csr.ts');
    const { publicKey, csr } = await csrFor(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    await client.provision('own-key', plan);
    const bound = await client.bind('own-key', 'b-own', { ...plan, parameters: { consumer: { kind: 'off-mesh' }, csr } });
    const credentials = bound.body['credentials'] as Record<string, string>;
    expect(credentials['private-key']).toBeUndefined();
    expect(new X509Certificate(credentials['client-certificate'] ?? '').publicKey.equals(publicKey)).toBe(true);
  });
});

describe('two platforms', () => {
  test('with the same ids do not meet (AMB-39)', async () => {
    const other = osbClient(app.url, app.secondPlatform);
    await client.provision('shared-id', ids('details/standard'));
    expect((await other.get(other.instancePath('shared-id'))).status).toBe(404);
    expect(await other.deprovision('shared-id', ids('details/standard'))).toMatchObject({ status: 410 });
    expect(await other.provision('shared-id', { ...ids('reviews/standard') })).toMatchObject({ status: 201 });
    expect((await client.get(client.instancePath('shared-id'))).body['service_id']).toBe(ids('details/standard').service_id);
  });
});
