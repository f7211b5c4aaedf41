import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gitopsMesh } from '../../src/mesh/drivers/gitops/gitops-mesh.ts';
import { objectId, objectKey, type MeshObject, type ObjectId } from '../../src/mesh/mesh-object.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { problemsOf } from '../support/mesh-schema.ts';
import { osbClient, type OfferingShape, type OsbClient, type PlanShape } from '../support/osb-client.ts';

/** A mesh that is written, and what it holds. */
interface Target {
  readonly app: TestApp;
  readonly client: OsbClient;
  objects(): Promise<readonly MeshObject[]>;
  close(): Promise<void>;
}
const environment = { MESHBROKER_TRAINING: 'true' };
const targets: Readonly<Record<string, () => Promise<Target>>> = {
  async memory() {
    const app = await createTestApp({ environment });
    const objects = (): Promise<readonly MeshObject[]> => Promise.resolve([...app.mesh.objects.values()]);
    return { app, client: osbClient(app.url, app.platform), objects, close: () => app.close() };
  },
  async gitops() {
    const directory = await mkdtemp(join(tmpdir(), 'meshbroker-thread-'));
    const root = join(directory, 'tree');
    const driver = gitopsMesh({ directory: root, remote: null, branch: 'main' }, (work) => work());
    const app = await createTestApp({ environment, driver });
    return {
      app,
      client: osbClient(app.url, app.platform),
      objects: () => committed(root),
      async close() {
        await app.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};
/** The files of the tree, all of them in its last commit. */
async function committed(root: string): Promise<readonly MeshObject[]> {
  expect(execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' })).toBe('');
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.yaml'));
  const objects = await Promise.all(files.map(async (file) => load(await readFile(join(root, file), 'utf8')) as MeshObject));
  objects.forEach((object, index) => {
    const { namespace, name } = object.metadata;
    expect(files[index]).toBe(`${namespace}/${object.kind.toLowerCase()}-${name}.yaml`);
  });
  return objects;
}

const keysOf = (objects: readonly MeshObject[]): readonly string[] => objects.map((object) => objectKey(objectId(object))).sort();
const naming = (objects: readonly MeshObject[], ref: string): readonly MeshObject[] =>
  objects.filter((object) => JSON.stringify(object).includes(ref));
async function recorded({ database }: TestApp): Promise<readonly string[]> {
  const { rows } = await database.run<{ object_ids: readonly ObjectId[] }>('select object_ids from mesh_scope');
  return rows.flatMap(({ object_ids: ids }) => ids.map(objectKey)).sort();
}
/** What a binding of the kind has beside its grant. */
const kindsOf: Readonly<Record<string, readonly string[]>> = {
  sidecar: ['DestinationRule', 'VirtualService'],
  vm: ['DestinationRule', 'VirtualService', 'WorkloadGroup'],
  ambient: ['Service', 'HTTPRoute', 'Telemetry'],
  'off-mesh': ['VirtualService'],
};

describe.each(Object.keys(targets))('with the %s driver', (name) => {
  let target: Target;
  beforeAll(async () => {
    const make = targets[name];
    if (make === undefined) throw new Error(`no driver ${name}`);
    target = await make();
  });
  afterAll(() => target.close());

  test('every plan of Bookinfo, training too, can be ordered, bound for each consumer it takes, unbound and ended', async () => {
    const plans = (await target.client.catalog()).flatMap((offering) => offering.plans.map((plan) => ({ offering, plan })));
    expect(plans.map(({ offering, plan }) => `${offering.name}/${plan.name}`)).toContain('ratings/training');
    let guards: readonly string[] = [];
    for (const { offering, plan } of plans) guards = await live(target, offering, plan, guards);
    for (const object of await target.objects()) expect(JSON.stringify(object)).not.toMatch(/mb-[a-z2-7]{20}/);
  }, 120_000);
});

/** One life of one instance; what it leaves are guards, which it answers. */
async function live(target: Target, offering: OfferingShape, plan: PlanShape, before: readonly string[]): Promise<readonly string[]> {
  const { app, client } = target;
  const ids = { service_id: offering.id, plan_id: plan.id };
  const instance = `i-${offering.name}-${plan.name}`;
  expect(await client.provision(instance, ids), instance).toMatchObject({ state: 'succeeded' });
  const guards = keysOf(await target.objects());
  expect(guards).toEqual(expect.arrayContaining([...before]));
  expect(await recorded(app)).toEqual(guards);
  for (const kind of plan.schemas.service_binding.create.parameters.properties.consumer.properties.kind.enum) {
    const consumer = kind === 'off-mesh' ? { kind } : { kind, namespace: 'web', service_account: 'web-frontend' };
    const said = `${instance} for ${kind}`;
    expect(await client.bind(instance, `b-${kind}`, { ...ids, parameters: { consumer } }), said).toMatchObject({ state: 'succeeded' });
    const fetched = await client.get(client.bindingPath(instance, `b-${kind}`));
    expect(fetched.body['credentials']).toMatchObject({ schema: 'mesh-binding/v1', mesh: { consumer_kind: kind } });
    await expectBound(target, kind, said);
    expect(await client.unbind(instance, `b-${kind}`, ids), said).toMatchObject({ state: 'succeeded' });
    expect(keysOf(await target.objects()), said).toEqual(guards);
  }
  // As the training plan says: the first time it fails.
  if (plan.name === 'training') expect(await client.deprovision(instance, ids)).toMatchObject({ state: 'failed' });
  expect(await client.deprovision(instance, ids), instance).toMatchObject({ state: 'succeeded' });
  expect(keysOf(await target.objects())).toEqual(guards);
  return guards;
}
async function expectBound(target: Target, kind: string, said: string): Promise<void> {
  const { rows } = await target.app.database.run<{ ref: string }>(`select ref from service_binding where state = 'ready'`);
  expect(rows).toHaveLength(1);
  const all = await target.objects();
  expect(await recorded(target.app)).toEqual(keysOf(all));
  const own = naming(all, rows[0]?.ref ?? '');
  const kinds = new Set(own.map((object) => object.kind));
  expect([...kinds], said).toEqual(expect.arrayContaining([...(kindsOf[kind] ?? [])]));
  expect(kinds.has('AuthorizationPolicy') || kinds.has('EnvoyFilter'), `${said}: a grant`).toBe(true);
  for (const object of all) expect(problemsOf(object), `${said}: ${object.kind} ${object.metadata.name}`).toEqual([]);
}
