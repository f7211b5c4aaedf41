import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanUpTasks } from '../../src/background/clean-up.pg.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type Ids, type OsbClient } from '../support/osb-client.ts';

let app: TestApp;
let client: OsbClient;
let ids: Ids;
beforeAll(async () => {
  app = await createTestApp();
  client = osbClient(app.url, app.platform);
  ids = await client.planIds('reviews', 'metered');
});
afterAll(() => app.close());

const consumer = { kind: 'sidecar', namespace: 'web', service_account: 'frontend' };
const cycle = async (steps: readonly (() => Promise<{ state: string; description?: string }>)[]): Promise<void> => {
  for (const step of steps) expect(await step()).toMatchObject({ state: 'succeeded' });
};
async function cleanUpOldestTombstone(table: string): Promise<void> {
  await app.database.run(`update ${table} set gone_at = gone_at - interval '100 hours' where state = 'gone' and life = 0`);
  await app.database.run('truncate certificate_holder cascade'); // as the identity room does once no certificate can be valid
  for (const task of cleanUpTasks(app.database, { tombstoneHours: 72, operationDays: 90 }, { cleaned: () => undefined }))
    await task.activate(AbortSignal.timeout(5_000));
  const { rows } = await app.database.run<{ life: number }>(`select life from ${table} order by life`);
  expect(rows).toEqual([{ life: 1 }]);
}

test('an id whose first life is forgotten and whose second is remembered lives a third time', async () => {
  const provision = () => client.provision('i', ids);
  const deprovision = () => client.deprovision('i', ids);
  await cycle([provision, deprovision, provision, deprovision]);
  await cleanUpOldestTombstone('service_instance');
  await cycle([provision]);
  expect((await client.get(client.instancePath('i'))).status).toBe(200);

  const bind = () => client.bind('i', 'b', { ...ids, parameters: { consumer } });
  const unbind = () => client.unbind('i', 'b', ids);
  await cycle([bind, unbind, bind, unbind]);
  await cleanUpOldestTombstone('service_binding');
  await cycle([bind]);
  expect((await client.get(client.bindingPath('i', 'b'))).status).toBe(200);
  await cycle([unbind, deprovision]);
});
test('the audit log tells the whole life of a binding under its reference', async () => {
  await cycle([
    () => client.provision('told', ids),
    () => client.bind('told', 'told', { ...ids, parameters: { consumer } }),
    () => client.unbind('told', 'told', ids),
  ]);
  const { rows } = await app.database.run<{ row: string }>(
    `select concat_ws(' ', actor, action, outcome) as row from audit_event
      where resource = (select ref from service_binding where binding_id = 'told') order by id`,
  );
  expect(rows.map(({ row }) => row)).toEqual([
    'platform:cf-eu binding.bind accepted',
    'broker binding.bind succeeded',
    'platform:cf-eu binding.unbind accepted',
    'broker binding.unbind succeeded',
  ]);
});
