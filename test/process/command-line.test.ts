import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import type { Started } from './command-line.ts';
import { emptyFolder, meshbroker, startBroker } from './command-line.ts';

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let broker: Started;
let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let settings: Record<string, string>;
beforeAll(async () => {
  folder = await emptyFolder();
  fresh = await freshDatabase();
  settings = { DATABASE_URL: fresh.url, MESHBROKER_MESH: 'memory' };
  broker = await startBroker(folder.path, settings);
});
afterAll(async () => {
  await broker.stop();
  await fresh.drop();
  await folder.remove();
});
const run = (...words: string[]): ReturnType<typeof meshbroker> => meshbroker(folder.path, words, settings);
const said = async (...words: string[]): Promise<string> => {
  const { code, said: text } = await run(...words);
  expect(code, text).toBe(0);
  return text;
};
const status = async (user: string, password: string): Promise<number> =>
  (await fetch(`${broker.url}/v2/catalog`, { headers: { authorization: `Basic ${btoa(`${user}:${password}`)}`, 'x-broker-api-version': '2.17' } })).status; // prettier-ignore
const passwordIn = (text: string): string => /password +(\S+)/.exec(text)?.[1] ?? '';

let password: string | undefined;
async function osb(method: string, path: string, body?: unknown): Promise<unknown> {
  password ??= passwordIn(await said('platform', 'show'));
  const headers = {
    authorization: `Basic ${btoa(`platform:${password}`)}`,
    'x-broker-api-version': '2.17',
    'content-type': 'application/json',
  };
  const response = await fetch(`${broker.url}/v2${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok, await response.clone().text()).toBe(true);
  return response.json();
}

describe('the command line', { timeout: 60_000 }, () => {
  test('makes, shows, rotates and revokes platforms', async () => {
    const first = passwordIn(await said('platform', 'create', 'korifi', '--namespace', 'web', 'shop'));
    expect(await status('korifi', first)).toBe(200);
    expect(await said('platform', 'allow', 'korifi', 'web')).toContain('korifi may bind for web');
    const second = passwordIn(await said('platform', 'rotate', 'korifi', '--overlap', '3600'));
    expect([await status('korifi', first), await status('korifi', second)]).toEqual([200, 200]);
    expect(await said('platform', 'list')).toMatch(/korifi +live +2 +\S+ +web\n/);
    await said('platform', 'revoke', 'korifi');
    expect([await status('korifi', first), await status('korifi', second)]).toEqual([401, 401]);
    const taken = await run('platform', 'create', 'korifi');
    expect([taken.code, taken.said]).toEqual([1, expect.stringContaining('name: korifi is taken')]);
  });
  test('keeps the password of the first platform right when that is rotated', async () => {
    const rotated = passwordIn(await said('platform', 'rotate', 'platform'));
    expect(passwordIn(await said('platform', 'show'))).toBe(rotated);
  });
  test('makes and ends tokens', async () => {
    const token = (await said('token', 'create', 'collector', 'gateway')).trim();
    expect(token).toMatch(/^mbc_/);
    expect(await said('token', 'list')).toMatch(/collector +gateway/);
    await said('token', 'revoke', 'collector', 'gateway');
    expect(await said('token', 'list')).not.toContain('gateway');
  });
  test('imports an access log, repeatedly, and reports it', async () => {
    const line = (id: string, code: number): string =>
      JSON.stringify({
        start_time: '2026-11-20T10:00:00.000Z', request_id: id, stream_id: id, authority: 'reviews.bookinfo.svc.cluster.local:9080', method: 'GET', protocol: 'HTTP/1.1', response_code: code,
        bytes_received: 0, bytes_sent: 300, upstream_cluster: 'inbound|9080||', source_principal: 'spiffe://cluster.local/ns/web/sa/shop', policy: 'p',
      }); // prettier-ignore
    const recent = new Date(Date.now() - 3_600_000).toISOString();
    const log = ['a', 'b', 'c'].map((id) => line(id, 200).replace('2026-11-20T10:00:00.000Z', recent)).join('\n');
    await writeFile(join(folder.path, 'access.log'), `starting\n${log}\n`);
    expect(await said('usage', 'import', 'access.log')).toMatch(/access\.log +3 +3 +3 +0 +0 +0/);
    expect(await said('usage', 'import', 'access.log')).toMatch(/access\.log +3 +3 +0 +3 +0 +0/);
    const report = await said('usage', 'report', '--from', recent.slice(0, 10));
    expect(report).toMatch(/shop .* requests +3 +request/);
    expect(await said('usage', 'report', '--format', 'csv', '--from', recent.slice(0, 10))).toContain('window_start,');
    const refused = await run('usage', 'import', 'access.log', '--principal', 'spiffe://cluster.local/ns/web/sa/shop');
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('inbound lines')]);
  });
  test('says which lines of an access log were not counted, and why', async () => {
    const time = new Date(Date.now() - 7_200_000).toISOString();
    const line = (id: string, cluster: string, caller: string | null, host = 'reviews.bookinfo.svc.cluster.local:9080'): string =>
      JSON.stringify({ start_time: time, stream_id: id, authority: host, method: 'GET', protocol: 'HTTP/1.1', response_code: 200, bytes_received: 0, bytes_sent: 3, upstream_cluster: cluster, source_principal: caller }); // prettier-ignore
    const gateway = 'spiffe://mesh.example.com/ns/edge/sa/door';
    const ofBinding = 'mb-6q2hdzr4kzjz3q5n7v2a.osb.example.com';
    const inbound = [
      line('i0', 'inbound|9080||', gateway, ofBinding),
      line('i1', 'inbound|9080||', gateway, `${ofBinding}:443`),
      line('i2', 'inbound|9080||', gateway, 'books.example.com'),
      line('i3', 'inbound|9080||', 'spiffe://mesh.example.com/ns/web/sa/shop'),
      line('i4', 'inbound|9080||', null),
    ];
    const outbound = ['o1', 'o2'].map((id) => line(id, 'outbound|9080||reviews.bookinfo.svc.cluster.local', null));
    await writeFile(join(folder.path, 'reviews.log'), inbound.join('\n'));
    await writeFile(join(folder.path, 'shop.log'), outbound.join('\n'));
    const set = {
      MESHBROKER_TRUST_DOMAIN: 'mesh.example.com',
      MESHBROKER_GATEWAY_NAMESPACE: 'edge',
      MESHBROKER_GATEWAY_SERVICE_ACCOUNT: 'door',
    };
    const both = await meshbroker(folder.path, ['usage', 'import', 'reviews.log', 'shop.log'], { ...settings, ...set });
    expect(both.code, both.said).toBe(0);
    expect(both.said).toMatch(/reviews\.log +5 +2 +2 +0 +0 +0\n/);
    expect(both.said).toContain(`reviews.log: 2 not counted: relayed by the gateway ${gateway} for a binding`);
    expect(both.said).toContain('reviews.log: 1 not counted: it names no caller');
    expect(both.said).toMatch(/^shop\.log: nothing was counted, of 2 lines; .* give --principal$/m);
    expect(both.said).toContain("shop.log: 2 not counted: written by the caller's own proxy");
    const alone = await run('usage', 'import', 'shop.log');
    expect([alone.code, alone.said]).toEqual([1, expect.stringContaining('nothing was counted')]);
    expect(await said('usage', 'import', 'shop.log', '--principal', 'spiffe://cluster.local/ns/web/sa/shop')).not.toContain('not counted');
  });
  test('lists what there is, also as JSON', async () => {
    expect(await said('instances')).toMatch(/^REF/);
    expect(JSON.parse(await said('bindings', '--json'))).toEqual([]);
    expect(await said('operations', '--unfinished')).toMatch(/^ID/);
    const retry = await run('operations', 'retry', '00000000-0000-4000-8000-000000000000');
    expect([retry.code, retry.said]).toEqual([1, expect.stringContaining('no operation')]);
  });
  test('lists instances and bindings by state, consumer and end, page after page', async () => {
    const { services } = (await osb('GET', '/catalog')) as {
      services: { id: string; name: string; plans: { id: string; name: string }[] }[];
    };
    const details = services.find(({ name }) => name === 'details');
    const ids = { service_id: details?.id, plan_id: details?.plans.find(({ name }) => name === 'standard')?.id };
    const context = { platform: 'kubernetes', namespace: 'web', clusterid: 'first' };
    const many = Array.from({ length: 103 }, (_, n) => `/service_instances/shop-${n}`);
    for (let from = 0; from < many.length; from += 8)
      await Promise.all(
        many.slice(from, from + 8).map((path) => osb('PUT', path, { ...ids, organization_guid: 'o', space_guid: 's', context })),
      );
    await osb('PUT', `${many[0] ?? ''}/service_bindings/web`, { ...ids, context });
    expect((await said('instances', 'list', '--limit', '102')).split('\n').slice(-2)).toEqual(['… there are more: --limit 204', '']);
    expect(JSON.parse(await said('instances', 'list', '--state', 'ready', '--limit', '500', '--json'))).toHaveLength(103);
    expect(await said('bindings', 'list', '--consumer', 'web/default')).toMatch(
      /\nmb-\S+ +web +ready +granted +details +standard +web\/default +/,
    );
    const wanted = JSON.parse(await said('bindings', 'list', '--json')) as { instance_ref: string }[];
    expect(await said('bindings', 'list', '--instance', wanted[0]?.instance_ref ?? '')).toMatch(/\nmb-\S+ +web +ready/);
    for (const none of [
      ['--consumer', 'web/other'],
      ['--state', 'expired'],
      ['--expires-before', '2026-01-01'],
    ])
      expect(await said('bindings', 'list', ...none)).toMatch(/^REF.*\n$/);
    for (const [words, why] of [
      [['--state', 'readdy'], 'Allowed choices are binding, ready'],
      [['--limit', '0'], '--limit 0: give a whole number from 1'],
    ] as const)
      expect(await run('bindings', 'list', ...words)).toEqual({ code: 1, said: expect.stringContaining(why) as string });
  });
  test('shows who did what, by resource, actor, action and outcome', async () => {
    const [binding] = JSON.parse(await said('bindings', 'list', '--json')) as { ref: string }[];
    const ref = binding?.ref ?? '';
    const rows = JSON.parse(await said('audit', 'list', '--resource', ref, '--oldest-first', '--json')) as Record<string, unknown>[];
    expect(rows.map(({ actor, action, outcome, resource }) => [actor, action, outcome, resource])).toEqual([
      ['platform:platform', 'binding.bind', 'accepted', ref],
      ['broker', 'binding.bind', 'succeeded', ref],
    ]);
    expect(await said('audit', '--action', 'platform.revoke')).toMatch(
      /^AT .*\n\S+Z +admin:\S+ +platform.revoke +succeeded +platform\/korifi /,
    );
    expect(await said('audit', 'list', '--actor', 'platform:platform', '--outcome', 'failed', '--since', '2026-01-01')).toMatch(/^AT.*\n$/);
    expect((await said('audit', 'list', '--limit', '2')).split('\n').slice(-2)).toEqual(['… there are more: --limit 4', '']);
    expect((await run('audit', 'list', '--outcome', 'maybe')).said).toContain('Allowed choices are accepted, succeeded, failed, denied');
  });
  test('releases no guard where there is none, and says so', async () => {
    const before = await said('operations', '--limit', '1000', '--json');
    const refused = await run('guard', 'release', 'ratings');
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('"ratings" has no guard')]);
    expect(await said('operations', '--limit', '1000', '--json')).toBe(before);
  });
  test('checks a catalogue with places and fixes', async () => {
    const catalog = join(folder.path, 'catalog');
    await mkdir(catalog);
    await writeFile(join(catalog, 'broken.yaml'), 'name: x\ndescription: [\n');
    const broken = await run('catalog', 'lint', 'catalog');
    expect([broken.code, broken.said]).toEqual([1, expect.stringMatching(/^broken\.yaml:\d+:\d+: error: /)]);
    const doctor = await meshbroker(folder.path, ['doctor'], { ...settings, MESHBROKER_CATALOG: catalog });
    expect([doctor.code, doctor.said]).toEqual([1, expect.stringMatching(/catalogue +wrong .*1 error: npx meshbroker catalog lint/)]);
  });
  test('prints every setting without secrets, and survives a reader that leaves', async () => {
    const text = (await meshbroker(folder.path, ['config'], { ...settings, MESHBROKER_ADMIN_TOKEN: 'hunter2' })).said;
    expect(text).toContain('MESHBROKER_ADMIN_TOKEN = (secret)');
    expect(text).not.toContain('hunter2');
    expect(text).toContain('MESHBROKER_MESH = memory');
  });
  test('says what is wrong with words it does not know, and with a token that is not good', async () => {
    expect(await run('platfrom')).toMatchObject({ code: 1, said: expect.stringContaining("unknown command 'platfrom'") as string });
    const refused = await meshbroker(folder.path, ['instances'], { ...settings, MESHBROKER_ADMIN_TOKEN: 'wrong' });
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('does not accept this admin token')]);
    const nowhere = await meshbroker(folder.path, ['instances'], { ...settings, MESHBROKER_URL: 'http://127.0.0.1:9' });
    expect([nowhere.code, nowhere.said]).toEqual([1, expect.stringContaining('no broker answers at http://127.0.0.1:9')]);
  });
  test('prints the access-log provider that the runbook shows, under the name that is set', async () => {
    const runbook = await readFile(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
    const printed = await said('mesh', 'access-log-provider');
    expect(/```yaml\n(# MeshConfig[^]*?)```/.exec(runbook)?.[1]).toBe(printed);
    const set = { ...settings, MESHBROKER_ACCESS_LOG_PROVIDER: 'our-log' };
    const { said: renamed } = await meshbroker(folder.path, ['mesh', 'access-log-provider'], set);
    expect(renamed).toBe(printed.replace('meshbroker-access-log', 'our-log'));
  });
  test('brings a database up to date by itself', async () => {
    expect(await said('migrate')).toContain('was up to date');
    expect(await said('version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
