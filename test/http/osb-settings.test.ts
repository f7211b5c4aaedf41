import { afterEach, expect, test } from 'vitest';
import { createTestApp, type TestApp } from '../support/app.ts';
import { basic, osbClient } from '../support/osb-client.ts';

let app: TestApp;
afterEach(() => app.close());

const withoutVersion = async (): Promise<number> =>
  (await fetch(`${app.url}/v2/catalog`, { headers: { authorization: basic(app.platform) } })).status;
/** Orders and ends an instance; the status of polling its deletion afterwards. */
async function polledAfterDelete(): Promise<number> {
  const client = osbClient(app.url, app.platform);
  const ids = await client.planIds('reviews');
  expect(await client.provision('i', ids)).toMatchObject({ state: 'succeeded' });
  expect(await client.deprovision('i', ids)).toMatchObject({ state: 'succeeded' });
  return (await client.get('/v2/service_instances/i/last_operation')).status;
}

test('a broker as it comes refuses a missing version with 412, and goes on saying that a deletion succeeded', async () => {
  app = await createTestApp();
  expect([await withoutVersion(), await polledAfterDelete()]).toEqual([412, 200]);
});
test('a broker that is set so accepts a missing version, and says that what was deleted is gone', async () => {
  app = await createTestApp({
    environment: { MESHBROKER_OSB_MISSING_VERSION: 'accept', MESHBROKER_OSB_LAST_OPERATION_AFTER_DELETE: 'gone' },
  });
  expect([await withoutVersion(), await polledAfterDelete()]).toEqual([200, 410]);
});
