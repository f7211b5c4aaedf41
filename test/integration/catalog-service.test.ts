import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pgCatalogStore } from '../../src/catalog/catalog-store.pg.ts';
import { CatalogService } from '../../src/catalog/catalog-service.ts';
import { draft04Problems } from '../../src/catalog/json-schema.ts';
import { fileCatalog } from '../../src/catalog/sources/files.ts';
import type { JsonObject } from '../../src/kernel/json.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';

const { signal } = new AbortController();
const bookinfo = new URL('../../examples/bookinfo', import.meta.url).pathname;
let database: FreshDatabase;
let directory: string;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meshbroker-catalog-'));
  await cp(bookinfo, directory, { recursive: true });
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
  await database.db.run('truncate service_offering, plan, service_instance, plan_snapshot, platform cascade');
});

/** A replica. Its clock is moved by hand: `later` makes the next look ask the database too. */
function replica(options: { readonly training?: boolean; readonly from?: string } = {}) {
  let now = Date.UTC(2026, 0, 1);
  const logged: string[] = [];
  const logger = { ...silentLogger, error: (_fields: unknown, message: string) => void logged.push(message) };
  const source = fileCatalog({
    directory: options.from ?? directory,
    training: options.training ?? false,
  });
  const catalog = new CatalogService({
    source,
    store: pgCatalogStore(database.db),
    transact: (work) => database.db.transaction((tx) => work({ catalog: pgCatalogStore(tx) })),
    clock: { now: () => new Date(now) },
    logger,
    publicUrl: 'https://broker.example.com',
  });
  const task = catalog.refreshTask();
  const look = async (): Promise<void> => {
    while (await task.activate(signal));
  };
  const later = (): Promise<void> => {
    now += 10_000;
    return look();
  };
  return { catalog, source, logged, look, later };
}
interface ListedPlan {
  readonly id: string;
  readonly name: string;
  readonly [key: string]: unknown;
}
interface Listed {
  readonly id: string;
  readonly name: string;
  readonly plans: readonly ListedPlan[];
  readonly metadata: { readonly x_apis?: unknown };
  readonly [key: string]: unknown;
}
const listed = (catalog: CatalogService, minor = 17): readonly Listed[] =>
  (JSON.parse(catalog.representation(minor).identity.toString()) as { services: Listed[] }).services;
const names = (catalog: CatalogService): readonly string[] =>
  listed(catalog).flatMap(({ name, plans }) => plans.map((plan) => `${name}/${plan.name}`));
const edit = async (name: string, change: (text: string) => string): Promise<void> =>
  writeFile(join(directory, name), change(await readFile(join(directory, name), 'utf8')));
const withoutPlan = (name: string) => (text: string) => text.replace(new RegExp(`  - name: ${name}\\n(?:    .*\\n)*`), '');
const planOf = (catalog: CatalogService, offering: string, plan: string) => {
  const found = catalog.offeringNamed(offering);
  return { serviceId: found?.id ?? '', planId: found?.plans.find(({ name }) => name === plan)?.id ?? '' };
};
async function instanceOf({ serviceId, planId }: { serviceId: string; planId: string }, state = 'ready'): Promise<string> {
  const id = randomUUID();
  const platform = randomUUID();
  await database.db.run(`insert into platform (id, name) values ($1, $2)`, [platform, platform]);
  await database.db.run(`insert into plan_snapshot values ('hash', '{}') on conflict do nothing`);
  await database.db.run(
    `insert into service_instance (id, platform_id, instance_id, ref, state, service_offering_id, offering_name, plan_id, plan_ids,
                                   snapshot_hash, organization_guid, space_guid, request_hash)
     values ($1, $2, 'i', $3, $4, $5, 'x', $6, array[$6], 'hash', 'o', 's', 'h')`,
    [id, platform, `mb-${id}`, state, serviceId, planId],
  );
  return id;
}

describe('the shelf', () => {
  test('holds Bookinfo, and publishes it', async () => {
    const { catalog } = replica();
    expect(await catalog.load(signal)).toEqual({ kind: 'taken' });
    expect(names(catalog)).toEqual([
      'details/standard', 'details/premium', 'productpage/standard', 'productpage/partner',
      'ratings/read', 'ratings/read-write', 'ratings/chaos', 'reviews/standard', 'reviews/canary', 'reviews/reader-groups', 'reviews/metered',
    ]); // prettier-ignore
    expect(catalog.catalogStatus()).toMatchObject({ version: 1, problems: [], offerings: 4, plans: 11 });
    const { rows } = await database.db.run<{ count: number }>('select count(*)::int as count from plan where present');
    expect(rows[0]?.count).toBe(11);
    const { serviceId, planId } = planOf(catalog, 'reviews', 'canary');
    expect(catalog.find(serviceId, planId)).toMatchObject({ orderable: true, why: null, plan: { name: 'canary' } });
    expect(catalog.find(serviceId, planOf(catalog, 'ratings', 'read').planId)).toBeUndefined();
    expect(catalog.hasOffering(serviceId)).toBe(true);
    expect(catalog.hasOffering('nobody')).toBe(false);
  });
  test('holds training plans only where training is on', async () => {
    const { catalog } = replica({ training: true });
    await catalog.load(signal);
    expect(names(catalog)).toContain('ratings/training');
  });
  test('links the descriptions of APIs and keeps their text', async () => {
    const { catalog } = replica();
    await catalog.load(signal);
    expect(listed(catalog).find(({ name }) => name === 'reviews')?.metadata.x_apis).toEqual([
      { name: 'reviews', kind: 'openapi', url: 'https://broker.example.com/v1/offerings/reviews/apis/reviews' },
    ]);
    expect(catalog.offeringNamed('reviews')?.apis[0]?.text).toContain('operationId: getReviews');
  });
  test('two replicas of one directory come to the same rows and the same bytes', async () => {
    const [one, two] = [replica(), replica()];
    await Promise.all([one.catalog.load(signal), two.catalog.load(signal)]);
    expect(one.catalog.representation(17).etag).toBe(two.catalog.representation(17).etag);
    const before = (await database.db.run('select id, xmin::text from plan order by id')).rows;
    await replica().catalog.load(signal);
    expect((await database.db.run('select id, xmin::text from plan order by id')).rows).toEqual(before);
  });
});

describe('a change in the files', () => {
  test('is taken over: edited in place, written anew and renamed, and with a description', async () => {
    const { catalog, look } = replica();
    await catalog.load(signal);
    await edit('reviews.yaml', (text) => text.replace('one request in ten', 'a tenth'));
    await look();
    expect(catalog.offeringNamed('reviews')?.plans[1]?.description).toContain('a tenth');
    await writeFile(join(directory, '.next'), (await readFile(join(directory, 'reviews.yaml'), 'utf8')).replace('a tenth', 'some'));
    await rename(join(directory, '.next'), join(directory, 'reviews.yaml'));
    await look();
    expect(catalog.offeringNamed('reviews')?.plans[1]?.description).toContain('some');
    await edit('apis/reviews.openapi.yaml', (text) => text.replace('Reviews of a book.', 'Opinions.'));
    await look();
    expect(catalog.offeringNamed('reviews')?.apis[0]?.text).toContain('Opinions.');
    expect(catalog.catalogStatus().version).toBe(4);
  });
  test('is noticed within two seconds, by the watch and without it', async () => {
    const { catalog, source, look } = replica();
    await catalog.load(signal);
    const noticed = new Promise<void>((resolve) => {
      const watcher = source.watch(() => {
        watcher.close();
        resolve();
      });
    });
    const started = performance.now();
    await edit('reviews.yaml', (text) => text.replace('one request in ten', 'a tenth'));
    await noticed;
    await look(); // also what the poll does, every second
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(catalog.offeringNamed('reviews')?.plans[1]?.description).toContain('a tenth');
  });
  test('is taken over where a ConfigMap swaps its link', async () => {
    const volume = join(directory, 'volume');
    const version = async (name: string, text: string): Promise<void> => {
      await mkdir(join(volume, name), { recursive: true });
      await writeFile(join(volume, name, 'ratings.yaml'), text.replace(/apis:\n.*\n/, ''));
    };
    const text = await readFile(join(directory, 'ratings.yaml'), 'utf8');
    await version('..1', text);
    await symlink('..1', join(volume, '..data'));
    await symlink('..data/ratings.yaml', join(volume, 'ratings.yaml'));
    const { catalog, look } = replica({ from: volume });
    await catalog.load(signal);
    await version('..2', text.replace('Stars that readers gave', 'Points that readers gave'));
    await symlink('..2', join(volume, '..data_tmp'));
    await rename(join(volume, '..data_tmp'), join(volume, '..data'));
    await look();
    expect(catalog.offeringNamed('ratings')?.description).toContain('Points');
  });
  test('without any change nothing is read', async () => {
    const { catalog, look, later } = replica();
    await catalog.load(signal);
    const before = catalog.representation(17).identity;
    await look();
    await later();
    expect(catalog.representation(17).identity).toBe(before);
    expect(catalog.catalogStatus().version).toBe(1);
  });
});

describe('a broken file', () => {
  test.each([
    ['of no YAML', () => edit('reviews.yaml', (text) => `${text}plans: [`)],
    ['against the rules', () => edit('reviews.yaml', (text) => text.replace('weight: 90', 'weight: 80'))],
    ['that is empty', () => truncate(join(directory, 'reviews.yaml'))],
    [
      'and a directory without files',
      async () => {
        for (const name of ['reviews', 'ratings', 'details', 'productpage']) await rm(join(directory, `${name}.yaml`));
      },
    ],
    ['and no directory', () => rm(directory, { recursive: true })],
  ] as const)('%s keeps the last good catalogue, and says so', async (_name, breakIt) => {
    const { catalog, logged, look } = replica();
    await catalog.load(signal);
    const before = catalog.representation(17).identity;
    await breakIt();
    await look();
    await look();
    expect(catalog.representation(17).identity).toBe(before);
    expect(catalog.catalogStatus()).toMatchObject({ version: 1, problems: [expect.objectContaining({ severity: 'error' })] });
    expect(logged).toEqual([expect.stringContaining('the catalogue stays as it was: ')]);
    await cp(bookinfo, directory, { recursive: true });
    await look();
    expect(catalog.catalogStatus()).toMatchObject({ version: 2, problems: [] });
    expect(catalog.representation(17).identity).toBe(before);
  });
  test('at the start leaves what was last published on the shelf', async () => {
    await replica().catalog.load(signal);
    await edit('reviews.yaml', (text) => text.replace('weight: 90', 'weight: 80'));
    const { catalog } = replica();
    expect(await catalog.load(signal)).toMatchObject({ kind: 'kept', problems: [{ file: 'reviews.yaml' }] });
    expect(names(catalog)).toHaveLength(11);
    const { serviceId, planId } = planOf(catalog, 'reviews', 'canary');
    expect(catalog.find(serviceId, planId)).toMatchObject({ orderable: true });
    expect(catalog.offeringNamed('reviews')?.plans.map(({ name }) => name)).toEqual(['standard', 'canary', 'reader-groups', 'metered']);
  });
  test('at the very first start leaves nothing to offer, and says why', async () => {
    await edit('reviews.yaml', (text) => text.replace('weight: 90', 'weight: 80'));
    const { catalog } = replica();
    expect(await catalog.load(signal)).toMatchObject({ kind: 'empty', problems: [{ file: 'reviews.yaml' }] });
    expect(listed(catalog)).toEqual([]);
  });
});

describe('what left the files', () => {
  test('is listed and found, but not ordered, while it has instances', async () => {
    const { catalog, look, later } = replica();
    await catalog.load(signal);
    const canary = planOf(catalog, 'reviews', 'canary');
    const metered = planOf(catalog, 'reviews', 'metered');
    const instance = await instanceOf(canary);
    await edit('reviews.yaml', (text) => withoutPlan('canary')(withoutPlan('metered')(text)));
    await look();
    expect(names(catalog)).toEqual(expect.arrayContaining(['reviews/standard', 'reviews/canary']));
    expect(names(catalog)).not.toContain('reviews/metered');
    const why = 'plan "canary" of service offering "reviews" has left the catalogue: choose another one (standard, reader-groups)';
    expect(catalog.find(canary.serviceId, canary.planId)).toMatchObject({ orderable: false, why, plan: { name: 'canary' } });
    expect(catalog.find(metered.serviceId, metered.planId)).toMatchObject({ orderable: false });
    await database.db.run(`update service_instance set state = 'gone' where id = $1`, [instance]);
    await later();
    expect(names(catalog)).not.toContain('reviews/canary');
    expect(catalog.find(canary.serviceId, canary.planId)).toMatchObject({ orderable: false });
  });
  test('is an offering as well, over restarts, and can come back', async () => {
    const { catalog, look } = replica();
    await catalog.load(signal);
    const read = planOf(catalog, 'ratings', 'read');
    await instanceOf(read);
    await rename(join(directory, 'ratings.yaml'), join(directory, 'ratings.off'));
    await look();
    const { catalog: restarted, look: lookAgain } = replica();
    await restarted.load(signal);
    for (const each of [catalog, restarted]) {
      expect(names(each)).toContain('ratings/read');
      expect(names(each)).not.toContain('ratings/chaos');
      const why = 'service offering "ratings" has left the catalogue: choose another one';
      expect(each.find(read.serviceId, read.planId)).toMatchObject({ orderable: false, why });
      expect(each.offeringNamed('ratings')?.mesh.namespace).toBe('bookinfo');
    }
    await rename(join(directory, 'ratings.off'), join(directory, 'ratings.yaml'));
    await lookAgain();
    expect(restarted.find(read.serviceId, read.planId)).toMatchObject({ orderable: true });
    expect((await database.db.run('select from plan where not present')).count).toBe(0);
  });
  test('gives its name to a newcomer', async () => {
    const { catalog, look } = replica();
    await catalog.load(signal);
    await instanceOf(planOf(catalog, 'ratings', 'read'));
    await edit('ratings.yaml', (text) => text.replace('name: ratings', 'id: a-new-offering\nname: ratings'));
    await look();
    const all = listed(catalog).map(({ name }) => name);
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((name) => name.startsWith('ratings'))).toEqual(['ratings', expect.stringMatching(/^ratings-retired-[0-9a-f]{6}$/)]);
    expect(catalog.offeringNamed('ratings')?.id).toBe('a-new-offering');
    expect(listed(catalog).map(({ metadata }) => metadata.x_apis === undefined)).toEqual([false, false, false, true, false]);
  });
  test('elsewhere is known here too: a replica with older files finds what a newer one published', async () => {
    const older = replica();
    await older.catalog.load(signal);
    const elsewhere = join(directory, 'elsewhere');
    await cp(bookinfo, elsewhere, { recursive: true });
    await writeFile(
      join(elsewhere, 'more.yaml'),
      (await readFile(join(directory, 'ratings.yaml'), 'utf8')).replace('name: ratings', 'name: stars'),
    );
    const newer = replica({ from: elsewhere });
    await newer.catalog.load(signal);
    const { serviceId, planId } = planOf(newer.catalog, 'stars', 'read');
    expect(older.catalog.find(serviceId, planId)).toBeUndefined();
    await older.later();
    expect(older.catalog.find(serviceId, planId)).toMatchObject({ plan: { name: 'read' } });
  });
});

describe('GET /v2/catalog', () => {
  test('shows each version of the API what it knows', async () => {
    const { catalog } = replica();
    await catalog.load(signal);
    const keys = (minor: number) => {
      const service = listed(catalog, minor).find(({ name }) => name === 'reviews');
      return { service: Object.keys(service ?? {}), plan: Object.keys(service?.plans.find(({ name }) => name === 'metered') ?? {}) };
    };
    const service = ['name', 'id', 'description', 'tags', 'bindable', 'plan_updateable', 'metadata', 'plans'];
    const plan = ['id', 'name', 'description', 'metadata', 'free', 'bindable'];
    expect(keys(11)).toEqual({ service, plan });
    expect(keys(12)).toEqual(keys(11));
    expect(keys(13)).toEqual({ service, plan: [...plan, 'schemas'] });
    const retrievable = [...service.slice(0, 5), 'instances_retrievable', 'bindings_retrievable'];
    expect(keys(14)).toEqual({ service: [...retrievable, ...service.slice(5)], plan: [...plan, 'schemas'] });
    const maintained = [...plan, 'plan_updateable', 'maintenance_info', 'maximum_polling_duration'];
    expect(keys(15)).toEqual({ service: [...retrievable, 'allow_context_updates', ...service.slice(5)], plan: [...maintained, 'schemas'] });
    expect(keys(16)).toEqual(keys(15));
    expect(keys(17)).toEqual({ service: keys(16).service, plan: [...maintained, 'binding_rotatable', 'schemas'] });
    expect(keys(18)).toEqual(keys(17));
  });
  test('never says null, and comes compressed too', async () => {
    const { catalog } = replica();
    await catalog.load(signal);
    await catalog.compressed;
    const { identity, gzip, br, etag } = catalog.representation(17);
    expect(identity.toString()).not.toContain('null');
    expect(gunzipSync(gzip ?? '')).toEqual(identity);
    expect(brotliDecompressSync(br ?? '')).toEqual(identity);
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect(new Set([11, 13, 14, 15, 17].map((minor) => catalog.representation(minor).etag)).size).toBe(5);
  });
  test('carries schemas that a draft-04 validator takes, at most 64 KiB each and without references to elsewhere', async () => {
    const { catalog } = replica();
    await catalog.load(signal);
    const schemas = catalog.offeringNamed('reviews')?.plans.flatMap((plan) => Object.values(plan.schemas)) ?? [];
    expect(schemas).toHaveLength(12);
    for (const schema of schemas) {
      expect(draft04Problems(schema)).toEqual([]);
      expect(schema['$schema']).toBe('http://json-schema.org/draft-04/schema#');
      expect(JSON.stringify(schema)).not.toContain('"$ref":"h');
      expect(Buffer.byteLength(JSON.stringify(schema))).toBeLessThanOrEqual(65_536);
    }
  });
  test('has a later date for each version, also within a second', async () => {
    const { catalog, look } = replica();
    await catalog.load(signal);
    const before = catalog.representation(17);
    await edit('reviews.yaml', (text) => text.replace('one request in ten', 'a tenth'));
    await look();
    const after = catalog.representation(17);
    expect(after.etag).not.toBe(before.etag);
    expect(after.lastModified.getTime()).toBe(before.lastModified.getTime() + 1000);
  });
});

describe('parameters', () => {
  test('are judged by the plan, and the answer names the field and the fix', async () => {
    const { catalog } = replica();
    await catalog.load(signal);
    const { serviceId, planId } = planOf(catalog, 'reviews', 'metered');
    const plan = catalog.find(serviceId, planId)?.plan;
    if (plan === undefined) throw new Error('it is there');
    const bind = (parameters: JsonObject) => catalog.whyParametersAreRefused(plan, 'bind', parameters);
    expect(bind({})).toBeUndefined();
    expect(
      bind({ consumer: { kind: 'sidecar', namespace: 'web', service_account: 'web-frontend', workload_labels: { app: 'web' } } }),
    ).toBeUndefined();
    expect(bind({ csr: '-----BEGIN CERTIFICATE REQUEST-----\n' })).toBeUndefined();
    expect(bind({ consumer: { kind: 'ambient' } })).toBe('parameters.consumer.kind must be one of sidecar, vm, off-mesh');
    expect(bind({ consumer: { namespce: 'web' } })).toBe('parameters.consumer.namespce is not known: did you mean namespace?');
    expect(bind({ consumer: 'web' })).toBe('parameters.consumer must be of type object');
    expect(bind({ consumer: { namespace: 'Web!' } })).toBe(
      'parameters.consumer.namespace has the wrong form: Kubernetes namespace of the workload.',
    );
    expect(catalog.whyParametersAreRefused(plan, 'create', { cost_center: 7 })).toBe('parameters.cost_center must be of type string');
    expect(catalog.whyParametersAreRefused(plan, 'create', { a: 1, b: 2, c: 3, d: 4, e: 5 })).toContain('; and 2 more');
    expect(catalog.whyParametersAreRefused(plan, 'update', {})).toBeUndefined();
  });
});
