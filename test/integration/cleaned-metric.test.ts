import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient } from '../support/osb-client.ts';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app.close());

const cleanUp = async (name: string): Promise<void> => {
  const task = app.app.tasks.find((each) => each.name === name);
  expect(task, name).toBeDefined();
  while (await task?.activate(AbortSignal.timeout(10_000)));
};
async function cleaned(): Promise<Record<string, number>> {
  const response = await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${app.adminToken}` } });
  const lines = (await response.text()).matchAll(/^meshbroker_cleaned_rows_total\{what="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, what = '', rows]) => [what, Number(rows)]));
}

test('metrics count certificates that were cleaned up, and usage partitions that were dropped', async () => {
  const client = osbClient(app.url, app.platform);
  const reviews = (await client.catalog()).find(({ name }) => name === 'reviews');
  const plan = reviews?.plans.find(({ schemas }) =>
    schemas.service_binding.create.parameters.properties.consumer.properties.kind.enum.includes('off-mesh'),
  );
  const ids = { service_id: reviews?.id ?? '', plan_id: plan?.id ?? '' };
  await client.provision('i', ids);
  expect(await client.bind('i', 'b', { ...ids, parameters: { consumer: { kind: 'off-mesh' } } })).toMatchObject({ state: 'succeeded' });
  expect(await client.unbind('i', 'b', ids)).toMatchObject({ state: 'succeeded' });
  await cleanUp('identity-sweep-certificates');
  await cleanUp('usage-retention');
  expect(await cleaned()).toEqual({});

  const past = `clock_timestamp() - interval '400 days'`;
  await app.database.run(`update certificate set not_before = ${past} - interval '1 day', not_after = ${past}`);
  await app.database.run(`update certificate_holder set retired_at = ${past}`);
  await app.database.run(`select usage_leaf(d) from unnest('{2020-01-01,2020-01-02,2020-01-03}'::date[]) d`);
  await cleanUp('identity-sweep-certificates');
  await cleanUp('usage-retention');
  expect(await cleaned()).toEqual({ certificates: 1, 'certificate-holders': 1, 'usage-partitions': 3 });
});
