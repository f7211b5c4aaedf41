import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperationKind } from '../../src/operations/operation.ts';
import type { Step } from '../../src/operations/step.ts';
import { expectRepeatable, expectUndoable, type StepScene } from '../contract/steps.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { osbClient, type Ids, type OsbClient } from '../support/osb-client.ts';

let app: TestApp;
let client: OsbClient;
let metered: Ids;
let other: Ids;
let made = 0;
beforeAll(async () => {
  app = await createTestApp({ running: false });
  client = osbClient(app.url, app.platform);
  metered = await client.planIds('reviews', 'metered');
  other = await client.planIds('reviews', 'canary');
});
afterAll(() => app.close());

/** Objects without their generation, exposures, certificates and open attributions: what a step may leave behind. */
async function look(): Promise<unknown> {
  const objects = [...app.mesh.objects.values()].map(({ kind, metadata, spec }) => ({
    kind,
    name: metadata.name,
    namespace: metadata.namespace,
    spec,
  }));
  const { rows: exposed } = await app.database.run(`select ref, exposure from service_binding where exposure <> 'hidden' order by ref`);
  const { rows: certificates } = await app.database.run(`select binding_ref from certificate where state = 'issued' order by 1`);
  const { rows: open } = await app.database.run('select binding_ref from attribution where valid_to is null order by 1');
  return {
    objects: objects.sort((a, b) => (a.namespace + a.kind + a.name < b.namespace + b.kind + b.name ? -1 : 1)),
    exposed,
    certificates,
    open,
  };
}
/** Claims the newest unfinished operation of the kind, as the runner would. */
async function claimed(kind: OperationKind): Promise<{ steps: readonly Step[]; context: Parameters<Step['run']>[0] }> {
  const { stores, recipes } = app.app.operations;
  const { rows } = await app.database.run<{ id: string }>(
    `select id from operation where kind = $1 and state not in ('succeeded', 'failed') order by created_at desc limit 1`,
    [kind],
  );
  await app.database.run('update operation set lease_until = null where id = $1', [rows[0]?.id]);
  const operation = await stores.operations.claim(rows[0]?.id ?? '', 'test');
  if (operation === undefined) throw new Error(`no ${kind} to claim`);
  return {
    steps: recipes[kind].steps(operation),
    context: { operation, fence: { operationId: operation.id, epoch: operation.epoch }, signal: AbortSignal.timeout(60_000) },
  };
}
async function finish(kind: OperationKind): Promise<void> {
  const { steps, context } = await claimed(kind);
  for (const step of steps) await step.run(context);
  const { recipes, transact } = app.app.operations;
  await transact(async (stores) => {
    await stores.operations.finish(
      { id: context.operation.id, epoch: context.operation.epoch },
      { state: 'succeeded', description: '', instanceUsable: null, updateRepeatable: null },
    );
    await recipes[kind].succeeded(stores, context.operation);
  });
}
const put = (path: string, body: unknown): Promise<unknown> => client.call('PUT', `${path}?accepts_incomplete=true`, body);
async function instance(): Promise<string> {
  made += 1;
  await put(client.instancePath(`steps-${made}`), { ...metered, organization_guid: 'o', space_guid: 's' });
  return `steps-${made}`;
}
async function ready(): Promise<string> {
  const name = await instance();
  await finish('provision');
  return name;
}
const bind = (name: string, binding: string, kind: string): Promise<unknown> =>
  put(client.bindingPath(name, binding), {
    ...metered,
    parameters: { consumer: kind === 'off-mesh' ? { kind } : { kind, namespace: `team-${made}`, service_account: 'a' } },
  });
async function bound(kind: string): Promise<string> {
  const name = await ready();
  await bind(name, `${name}-b`, kind);
  await finish('bind');
  return name;
}
const scenes: Readonly<Record<string, StepScene>> = {
  provision: { look, make: async () => (await instance(), claimed('provision')) },
  'bind of a sidecar': { look, make: async () => (await bind(await ready(), `s-${made}`, 'sidecar'), claimed('bind')) },
  'bind of a virtual machine': { look, make: async () => (await bind(await ready(), `v-${made}`, 'vm'), claimed('bind')) },
  'bind off the mesh': { look, make: async () => (await bind(await ready(), `o-${made}`, 'off-mesh'), claimed('bind')) },
  unbind: {
    look,
    async make() {
      const name = await bound('off-mesh');
      await client.call(
        'DELETE',
        `${client.bindingPath(name, `${name}-b`)}?service_id=${metered.service_id}&plan_id=${metered.plan_id}&accepts_incomplete=true`,
      );
      return claimed('unbind');
    },
  },
  deprovision: {
    look,
    async make() {
      const name = await bound('sidecar');
      await client.call(
        'DELETE',
        `${client.instancePath(name)}?service_id=${metered.service_id}&plan_id=${metered.plan_id}&accepts_incomplete=true`,
      );
      return claimed('deprovision');
    },
  },
};

describe('every step may run again', () => {
  test.each(Object.entries(scenes))('%s', async (_, scene) => expectRepeatable(scene));
});
describe('undone after any number of steps, nothing is left', () => {
  test.each(['bind of a sidecar', 'bind of a virtual machine', 'bind off the mesh'])('%s', async (name) => {
    await ready();
    const scene = scenes[name];
    expect(scene === undefined ? 0 : await expectUndoable(scene)).toBeGreaterThan(4);
  });
  test('a change of plan', async () => {
    const name = await bound('sidecar');
    const before = await look();
    void client.call('PATCH', client.instancePath(name), { service_id: other.service_id, plan_id: other.plan_id }).catch(() => undefined);
    for (const end = performance.now() + 5_000; performance.now() < end;) {
      if ((await app.database.run(`select 1 from operation where kind = 'update' and state not in ('succeeded', 'failed')`)).count > 0)
        break;
      await new Promise((done) => setTimeout(done, 10));
    }
    const { steps, context } = await claimed('update');
    for (const step of steps) await step.run(context);
    for (const step of [...steps.toReversed(), ...steps.toReversed()]) await step.undo?.(context);
    expect(await look()).toEqual(before);
    const { rows } = await app.database.run('select plan_id from service_instance where instance_id = $1', [name]);
    expect(rows).toEqual([{ plan_id: metered.plan_id }]);
  });
});
