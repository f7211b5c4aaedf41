import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient } from '../support/osb-client.ts';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app.close());

test('an operation that succeeded in the end shows no error of the tries before; one that failed does', async () => {
  const client = osbClient(app.url, app.platform);
  const ids = await client.planIds('reviews');
  for (const id of ['tried', 'failed']) await client.provision(id, ids);
  await app.database.run(`update operation set last_error = 'the remote was away'`);
  const failed = `select id::text from service_instance where instance_id = 'failed'`;
  await app.database.run(`update operation set state = 'failed' where resource_id = (${failed})`);
  const response = await fetch(`${app.url}/v1/operations`, { headers: { authorization: `Bearer ${app.adminToken}` } });
  const { items } = (await response.json()) as { items: readonly { state: string; last_error: string | null }[] };
  expect(items.map(({ state, last_error: error }) => [state, error])).toEqual([
    ['failed', 'the remote was away'],
    ['succeeded', null],
  ]);
});
