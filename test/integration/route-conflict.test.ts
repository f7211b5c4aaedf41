import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type Ids, type OsbClient } from '../support/osb-client.ts';

let app: TestApp;
let client: OsbClient;
let stranger: OsbClient;
beforeAll(async () => {
  app = await createTestApp();
  client = osbClient(app.url, app.platform);
  stranger = osbClient(app.url, app.secondPlatform);
});
afterAll(() => app.close());

/** A plan of reviews; `canary` splits, `standard` and `metered` do not; only `metered` is asynchronous. */
const planNamed = (name: string): Promise<Ids> => client.planIds('reviews', name);
const frontendOf = (namespace: string): object => ({
  parameters: { consumer: { kind: 'sidecar', namespace, service_account: 'web-frontend' } },
});
async function bound(as: OsbClient, instance: string, plan: string, namespace: string) {
  const ids = await planNamed(plan);
  expect(await as.provision(instance, ids)).toMatchObject({ state: 'succeeded' });
  return as.bind(instance, `${instance}-b`, { ...ids, ...frontendOf(namespace) });
}
const rows = async (): Promise<readonly unknown[]> =>
  (
    await app.database.run(
      `select (select count(*) from service_binding), (select count(*) from operation where kind in ('bind', 'update')),
        (select count(*) from audit_event where action in ('binding.bind', 'instance.update') and outcome = 'accepted')`,
    )
  ).rows;

test.each([
  ['canary', 'standard', 'synchronous'],
  ['canary', 'metered', 'asynchronous'],
  ['metered', 'canary', 'synchronous, after an asynchronous one'],
])('a workload with a binding of %s is refused one of %s at once (%s), and nothing of it stays', async (first, second) => {
  const namespace = `${first}-${second}`;
  expect(await bound(client, `1-${namespace}`, first, namespace)).toMatchObject({ state: 'succeeded' });
  expect(await client.provision(`2-${namespace}`, await planNamed(second))).toMatchObject({ state: 'succeeded' });
  const [before, objects] = [await rows(), app.mesh.history.length];
  const refused = await client.bind(`2-${namespace}`, `2-${namespace}-b`, { ...(await planNamed(second)), ...frontendOf(namespace) });
  expect(refused).toMatchObject({ status: 422, body: { error: 'RouteConflict' } });
  expect(refused.description).toContain(`binding "2-${namespace}-b" (plan "${second}" of reviews)`);
  expect(refused.description).toContain(`binding "1-${namespace}-b" (plan "${first}" of reviews)`);
  expect(refused.description).toMatch(/unbind the other, choose the same plan, or give the plans different route_priority/);
  expect([await rows(), app.mesh.history.length]).toEqual([before, objects]);

  const again = await client.bind(`2-${namespace}`, `2-${namespace}-b`, { ...(await planNamed(second)), ...frontendOf('elsewhere') });
  expect(again).toMatchObject({ state: 'succeeded' });
  expect(await client.unbind(`2-${namespace}`, `2-${namespace}-b`, await planNamed(second))).toMatchObject({ state: 'succeeded' });
});
test('the refusal ends with the other binding', async () => {
  const canary = await planNamed('canary');
  expect(await bound(client, 'early', 'canary', 'freed')).toMatchObject({ state: 'succeeded' });
  expect(await bound(client, 'late', 'metered', 'freed')).toMatchObject({ status: 422 });
  expect(await client.unbind('early', 'early-b', canary)).toMatchObject({ state: 'succeeded' });
  expect(await client.bind('late', 'late-b', { ...(await planNamed('metered')), ...frontendOf('freed') })).toMatchObject({
    state: 'succeeded',
  });
});
test('a second binding on the same plan, of another instance, is none', async () => {
  expect(await bound(client, 'same-1', 'canary', 'same')).toMatchObject({ state: 'succeeded' });
  expect(await bound(client, 'same-2', 'canary', 'same')).toMatchObject({ state: 'succeeded' });
});
test('ids of another platform are not told', async () => {
  expect(await bound(stranger, 'secret-name', 'canary', 'shared')).toMatchObject({ state: 'succeeded' });
  const refused = await bound(client, 'mine', 'metered', 'shared');
  expect(refused).toMatchObject({ status: 422, body: { error: 'RouteConflict' } });
  expect(refused.description).toContain('a binding of another platform (plan "canary" of reviews)');
  expect(refused.description).not.toMatch(/secret-name|mb-/);
});
test('a change of plan into a conflict is refused at once, and the instance stays as it is', async () => {
  expect(await bound(client, 'stays', 'metered', 'moved')).toMatchObject({ state: 'succeeded' });
  expect(await bound(client, 'moves', 'metered', 'moved')).toMatchObject({ state: 'succeeded' });
  const before = await rows();
  const { service_id, plan_id } = await planNamed('canary');
  const refused = await client.update('moves', { service_id, plan_id });
  expect(refused).toMatchObject({ status: 422, body: { error: 'RouteConflict', instance_usable: true, update_repeatable: true } });
  expect(refused.description).toContain('binding "moves-b" (plan "canary" of reviews)');
  expect(refused.description).toContain('binding "stays-b" (plan "metered" of reviews)');
  expect(await rows()).toEqual(before);
  expect((await client.get(client.instancePath('moves'))).body['plan_id']).toBe((await planNamed('metered')).plan_id);
});
test('two bindings at the same time: one of them is told when its routes are written', async () => {
  const plans = ['canary', 'metered'] as const;
  for (const plan of plans) expect(await client.provision(`race-${plan}`, await planNamed(plan))).toMatchObject({ state: 'succeeded' });
  const answers = await Promise.all(
    plans.map(async (plan) => client.bind(`race-${plan}`, `race-${plan}-b`, { ...(await planNamed(plan)), ...frontendOf('race') })),
  );
  expect(answers.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
  expect(answers.find(({ state }) => state !== 'succeeded')?.description).toMatch(/different (routes|load balancing)/);
});
