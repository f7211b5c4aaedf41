import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogFields, Logger } from '../../src/kernel/logger.ts';
import { memoryMesh } from '../../src/mesh/drivers/memory.ts';
import type { TestApp } from '../support/app.ts';
import { createTestApp } from '../support/app.ts';
import { osbClient } from '../support/osb-client.ts';

const lines: LogFields[] = [];
const log = (fields: LogFields, message: string): void => void lines.push({ ...fields, message });
const logger: Logger = { debug: log, info: log, warn: log, error: log };
const mesh = memoryMesh();
let broken = false;
let app: TestApp;
beforeAll(async () => {
  const driver: typeof mesh = {
    ...mesh,
    apply: (write, isCurrent) => (broken ? Promise.reject(new Error('no mesh')) : mesh.apply(write, isCurrent)),
  };
  app = await createTestApp({ logger, driver, environment: { MESHBROKER_SYNC_TIMEOUT_SECONDS: '2' } });
});
afterAll(() => app.close());

describe('the log has one line for each request, with the id of its operation', () => {
  const operationsOf = async (action: string): Promise<unknown[]> => {
    const statement = `select detail ->> 'operation' as operation from audit_event where action = $1 and outcome = 'accepted' order by id`;
    return (await app.database.run(statement, [action])).rows.map((row) => row['operation']);
  };
  const lastLine = (): LogFields | undefined => lines.filter(({ message }) => message === 'request').at(-1);
  test('whether it answers 201, 200 or 503, and without a word more to the platform', async () => {
    const client = osbClient(app.url, app.platform);
    const ids = await client.planIds('details', 'standard');
    const query = `service_id=${ids.service_id}&plan_id=${ids.plan_id}`;
    const parameters = { consumer: { kind: 'sidecar', namespace: 'web', service_account: 'frontend' } };
    const instance = '/v2/service_instances/logged';
    const binding = `${instance}/service_bindings/one`;
    const order = { ...ids, organization_guid: 'o', space_guid: 's' };
    for (const [method, path, body, status, action] of [
      ['PUT', instance, order, 201, 'instance.provision'],
      ['PUT', binding, { ...ids, parameters }, 201, 'binding.bind'],
      ['DELETE', `${binding}?${query}`, undefined, 200, 'binding.unbind'],
      ['DELETE', `${instance}?${query}`, undefined, 200, 'instance.deprovision'],
    ] as const) {
      const answer = await client.call(method, path, body);
      const [operation] = await operationsOf(action);
      expect(operation, action).toEqual(expect.stringMatching(/^[0-9a-f-]{36}$/));
      expect(lastLine(), action).toMatchObject({ method, status, platform: 'cf-eu', brokerOperation: operation });
      expect([answer.status, JSON.stringify(answer.body).includes(String(operation))], action).toEqual([status, false]);
    }
    const stuck = '/v2/service_instances/stuck';
    expect((await client.call('PUT', stuck, order)).status).toBe(201);
    broken = true;
    expect((await client.call('PUT', `${stuck}/service_bindings/two`, { ...ids, parameters })).status).toBe(503);
    expect(lastLine()).toMatchObject({ status: 503, brokerOperation: (await operationsOf('binding.bind'))[1] });
    broken = false;
  });
});
