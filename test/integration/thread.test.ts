import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type OsbClient } from '../support/osb-client.ts';

let app: TestApp;
let client: OsbClient;
beforeAll(async () => {
  app = await createTestApp();
  client = osbClient(app.url, app.platform);
});
afterAll(() => app.close());

test('every plan of Bookinfo can be ordered, bound for each consumer it takes, unbound and ended', async () => {
  const offerings = await client.catalog();
  const guards = new Set<string>();
  for (const offering of offerings) {
    for (const plan of offering.plans) {
      const ids = { service_id: offering.id, plan_id: plan.id };
      const instance = `i-${offering.name}-${plan.name}`;
      expect(await client.provision(instance, ids)).toMatchObject({ state: 'succeeded' });
      const after = new Set(app.mesh.objects.keys());
      after.forEach((key) => guards.add(key));
      for (const kind of plan.schemas.service_binding.create.parameters.properties.consumer.properties.kind.enum) {
        const consumer = kind === 'off-mesh' ? { kind } : { kind, namespace: 'web', service_account: 'web-frontend' };
        const bound = await client.bind(instance, `b-${kind}`, { ...ids, parameters: { consumer } });
        expect(bound).toMatchObject({ state: 'succeeded' });
        const fetched = await client.get(`/v2/service_instances/${instance}/service_bindings/b-${kind}`);
        expect(fetched.body['credentials']).toMatchObject({ schema: 'mesh-binding/v1', mesh: { consumer_kind: kind } });
        expect(app.mesh.objects.size).toBeGreaterThan(0);
        expect(await client.unbind(instance, `b-${kind}`, ids)).toMatchObject({ state: 'succeeded' });
        expect(new Set(app.mesh.objects.keys())).toEqual(after);
      }
      expect(await client.deprovision(instance, ids)).toMatchObject({ state: 'succeeded' });
    }
  }
  expect(new Set(app.mesh.objects.keys())).toEqual(guards);
});
