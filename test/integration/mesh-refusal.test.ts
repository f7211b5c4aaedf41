import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { LogFields, Logger } from '../../src/kernel/logger.ts';
import { MeshRefusal } from '../../src/mesh/mesh-refusal.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type OsbClient } from '../support/osb-client.ts';

const errors: LogFields[] = [];
const silent = (): void => undefined;
const logger: Logger = { debug: silent, info: silent, warn: silent, error: (fields, message) => void errors.push({ ...fields, message }) };
const why = 'not a name for a mesh object';
const unknown = 'The broker failed; its log has the reason under the request id.';
const logged = (): readonly string[] => errors.map(({ message, error }) => `${String(message)}: ${String(error)}`);

let app: TestApp;
let client: OsbClient;
beforeAll(async () => {
  app = await createTestApp({ logger });
  client = osbClient(app.url, app.platform);
});
afterEach(() => {
  app.mesh.interrupt();
  errors.length = 0;
});
afterAll(() => app.close());

function refuse(kind: string): void {
  app.mesh.interrupt(({ scope, put }) => {
    if (scope.startsWith(kind) && put.length > 0) throw new MeshRefusal(why);
  });
}
const consumer = { kind: 'sidecar', namespace: 'web', service_account: 'web-frontend' };

test('what a driver does not take is our failure, not that of a synchronous bind; it is undone and the id is free', async () => {
  const ids = await client.planIds('ratings', 'read');
  expect(await client.provision('sync', ids)).toMatchObject({ state: 'succeeded' });
  const before = new Set(app.mesh.objects.keys());
  refuse('grant/');
  const refused = await client.bind('sync', 'b', { ...ids, parameters: { consumer } });
  expect(refused).toMatchObject({ status: 500, body: { error: 'InternalError', description: unknown } });
  expect(logged()).toContainEqual(expect.stringMatching(/cannot be written: MeshRefusal: not a name for a mesh object/));
  expect(new Set(app.mesh.objects.keys())).toEqual(before);
  app.mesh.interrupt();
  expect(await client.bind('sync', 'b', { ...ids, parameters: { consumer } })).toMatchObject({ state: 'succeeded' });
});
test('an asynchronous operation fails at once, and tells no name of ours', async () => {
  const ids = await client.planIds('reviews', 'metered');
  refuse('guard/');
  const refused = await client.provision('async', ids);
  expect(refused).toMatchObject({ state: 'failed', description: expect.stringContaining('see its log') as string });
  expect(JSON.stringify(refused)).not.toContain(why);
  expect(logged()).toHaveLength(1);
});
test('what a planner refuses is our failure as well, as where a service is now in the root namespace', async () => {
  const moved = await createTestApp({ logger });
  const platform = osbClient(moved.url, moved.platform);
  const ids = await platform.planIds('details', 'standard');
  expect(await platform.provision('planned', ids)).toMatchObject({ state: 'succeeded' });
  const move = `update mesh_guard set definition = jsonb_set(definition, '{service,namespace}', '"istio-system"')`;
  expect((await moved.database.run(move)).count).toBe(1);
  const refused = await platform.bind('planned', 'b', { ...ids, parameters: { consumer } });
  expect(refused).toMatchObject({ status: 500, body: { error: 'InternalError', description: unknown } });
  expect(logged()).toContainEqual(expect.stringContaining("would be in the mesh's root namespace istio-system"));
  await moved.close();
});
test('a consumer of the root namespace is refused before anything is written', async () => {
  const other = await createTestApp({ environment: { MESHBROKER_ROOT_NAMESPACE: 'mesh-root' } });
  const platform = osbClient(other.url, other.platform);
  const ids = await platform.planIds('ratings', 'read');
  expect(await platform.provision('rooted', ids)).toMatchObject({ state: 'succeeded' });
  const refused = await platform.bind('rooted', 'b', { ...ids, parameters: { consumer: { ...consumer, namespace: 'mesh-root' } } });
  expect(refused).toMatchObject({ status: 403, description: expect.stringContaining('use a namespace of your own') as string });
  await other.close();
});
