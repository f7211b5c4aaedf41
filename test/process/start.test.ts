import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import { watch } from '../support/run-node.ts';
import { emptyFolder, failingStart, meshbroker, startBroker } from './command-line.ts';
import type { Started } from './command-line.ts';

const run = promisify(execFile);
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
async function started(folder: string, settings: Record<string, string> = {}): Promise<Started> {
  const broker = await startBroker(folder, settings);
  closing.push(broker.stop);
  return broker;
}
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('a start on a fresh machine', { timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>;
  let first: Started;
  beforeAll(async () => {
    folder = await emptyFolder();
    first = await startBroker(folder.path);
  });
  afterAll(async () => {
    await first.stop();
    await folder.remove();
  });
  const data = (...path: string[]): string => join(folder.path, '.meshbroker', ...path);
  const lineAfter = (title: string): string => new RegExp(`^ {2}${title}\\n {4}(.+)$`, 'm').exec(first.said())?.[1] ?? '';
  const paste = async (title: string): Promise<string> => (await run('sh', ['-c', lineAfter(title)])).stdout;

  test('says where it listens, who gets in, where the mesh objects and the database are', () => {
    expect(first.said()).toMatch(/Platform +user platform, password mbp_\S+/);
    expect(first.said()).toContain(`Mesh objects  ${data('mesh')}`);
    expect(first.said()).toMatch(new RegExp(`Database +${data('postgres')} \\(embedded PostgreSQL\\)`));
    expect(first.said()).toContain(`Documents     ${first.url}/docs`);
  });
  test('shows three lines that work when pasted, also twice', async () => {
    expect(JSON.parse(await paste('The shelf'))).toMatchObject({ services: [{ name: 'details' }, {}, {}, {}] });
    for (let time = 0; time < 2; time += 1) expect(await paste('Order and bind')).toContain('"credentials":{');
    const report = JSON.parse(await paste('What was used')) as { lines: { meter: string; consumer: string }[] };
    expect(report.lines.map(({ meter }) => meter)).toContain('binding-hours');
    expect(await readdir(data('mesh'))).toEqual(expect.arrayContaining(['.git', 'bookinfo', 'web']));
  });
  test('keeps its secrets in files of mode 0600, and out of the log', async () => {
    expect([await modeOf(data('secret')), await modeOf(data('credentials.json'))]).toEqual(['600', '600']);
    expect((await readFile(data('secret'))).length).toBe(32);
    const log = first.said().split('\n').filter((line) => line.startsWith('{')).join('\n'); // prettier-ignore
    expect(log).toContain('"operation":"serviceBinding.');
    expect(log).not.toContain(first.password);
    expect(log).not.toMatch(/mb[pac]_|authorization/i);
  });
  test('is not joined by a second one in its directory, which would lose the embedded database with it', async () => {
    const { code, said } = await failingStart(folder.path);
    expect([code, said]).toEqual([1, expect.stringContaining(`the broker at ${first.url} (process ${first.child.pid}) runs with`)]);
    expect((await meshbroker(folder.path, ['instances'])).code).toBe(0);
  });
  test('has its password shown again by platform show', async () => {
    const { said, code } = await meshbroker(folder.path, ['platform', 'show']);
    expect([code, said]).toEqual([0, `user      platform\npassword  ${first.password}\n`]);
  });
  test('is found by the command line, which says how the broker is', async () => {
    const instances = await meshbroker(folder.path, ['instances']);
    expect(instances.said).toMatch(/first +platform +ready +details/);
    const doctor = await meshbroker(folder.path, ['doctor']);
    expect([doctor.code, doctor.said.match(/ {2}ok {2}/g)?.length], doctor.said).toEqual([0, 6]);
  });
  test('stops cleanly, and a second start keeps all data', async () => {
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    const { password } = first;
    first = await startBroker(folder.path);
    expect(first.password).toBe(password);
    expect((await meshbroker(folder.path, ['bindings'])).said).toMatch(/first +ready +granted +details/);
    const refused = await meshbroker(folder.path, ['guard', 'release', 'details']);
    expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('live instances')]);
  });
  test('is backed up by a copy of its stopped data directory, which starts elsewhere', async () => {
    const elsewhere = await emptyFolder();
    closing.push(elsewhere.remove);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    await run('cp', ['-a', data(), join(elsewhere.path, '.meshbroker')]);
    const restored = await started(elsewhere.path);
    expect(restored.password).toBe(first.password);
    expect((await meshbroker(elsewhere.path, ['bindings'])).said).toMatch(/first +ready +granted +details/);
    first = await startBroker(folder.path);
  });
  test('stops quietly at Ctrl-C, which the terminal tells the whole process group', async () => {
    await first.stop();
    const own = watch(spawn(process.execPath, [resolve('src/main.ts')], { cwd: folder.path, detached: true, env: { PATH: process.env['PATH'], MESHBROKER_LISTEN: '127.0.0.1:0' } })); // prettier-ignore
    await own.saying('What was used\n');
    process.kill(-(own.child.pid ?? 0), 'SIGINT');
    expect(await own.ended).toEqual({ code: 0, signal: null });
    expect(own.said()).toContain('the broker has stopped');
    expect(own.said()).not.toMatch(/"level":"(warn|error)"/);
    first = await startBroker(folder.path);
  });
  test('stops once, however often Ctrl-C is heard at once, also from npm', async () => {
    first.child.kill('SIGINT');
    first.child.kill('SIGINT');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const offline = await meshbroker(folder.path, ['operations']);
    expect([offline.code, offline.said]).toEqual([1, expect.stringMatching(/no broker of \S+\.meshbroker runs: start it with npm start/)]);
    first = await startBroker(folder.path);
  });
});

describe('a start', { timeout: 60_000 }, () => {
  let folder: Awaited<ReturnType<typeof emptyFolder>>;
  beforeEach(async () => {
    folder = await emptyFolder();
    const fresh = await freshDatabase();
    closing.push(folder.remove, fresh.drop);
    quick = { MESHBROKER_MESH: 'memory', MESHBROKER_LOG_LEVEL: 'warn', DATABASE_URL: fresh.url };
  });
  let quick: Record<string, string>;

  test('with wrong settings names all of them and changes nothing', async () => {
    const { code, said } = await failingStart(folder.path, {
      MESHBROKER_LISTEN: 'x',
      MESHBROKER_TRAINING: 'yes',
      DATABASE_URL: 'oracle://scott:tiger@h',
      MESHBROKER_TLS_CERT: '/no/cert.pem',
      MESHBROKER_CATALOG: '/no/catalogue',
    });
    expect(code).toBe(1);
    for (const name of ['MESHBROKER_LISTEN=x', 'MESHBROKER_TRAINING=yes', 'DATABASE_URL']) expect(said).toContain(name);
    for (const line of [
      'MESHBROKER_TLS_CERT=/no/cert.pem: goes with MESHBROKER_TLS_KEY: set that too',
      'MESHBROKER_TLS_CERT=/no/cert.pem: cannot be read: give a PEM file',
      'MESHBROKER_CATALOG=/no/catalogue: there is no such directory: create it',
    ])
      expect(said).toContain(line);
    expect(said).not.toContain('tiger');
    expect(await readdir(folder.path)).toEqual([]);
  });
  test('refuses the secret of another database, and goes on with the right one', async () => {
    await (await startBroker(folder.path, quick)).stop();
    const secret = join(folder.path, '.meshbroker/secret');
    const right = await readFile(secret);
    await writeFile(secret, randomBytes(32));
    const wrong = await failingStart(folder.path, quick);
    expect(wrong).toMatchObject({ code: 1, said: expect.stringContaining('is not the secret of this database') as string });
    expect((await meshbroker(folder.path, ['doctor'], quick)).said).toMatch(/secret +wrong +.*not the secret of this database/);
    await rm(secret);
    expect(await failingStart(folder.path, quick)).toMatchObject({
      code: 1,
      said: expect.stringContaining('is missing, and the database was made with one') as string,
    });
    expect(await readdir(join(folder.path, '.meshbroker'))).not.toContain('secret');
    await writeFile(secret, right.subarray(1));
    expect(await failingStart(folder.path, quick)).toMatchObject({ code: 1, said: expect.stringContaining('has 31 bytes') as string });
    await writeFile(secret, right, { mode: 0o644 });
    await started(folder.path, quick);
  });
  test('on a port that is taken says so, and leaves no database behind', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    closing.push(() => new Promise((done) => other.close(done)));
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, said } = await failingStart(folder.path, { MESHBROKER_MESH: 'memory', MESHBROKER_LISTEN: taken });
    expect([code, said]).toEqual([1, expect.stringContaining(`MESHBROKER_LISTEN=${taken}: another process listens there`)]);
    await expect(stat(join(folder.path, '.meshbroker/postgres/data/postmaster.pid'))).rejects.toThrow('ENOENT');
  });
  test('that hears Ctrl-C while it makes its database ends in order, and the next one works', async () => {
    const early = watch(spawn(process.execPath, [resolve('src/main.ts')], { cwd: folder.path, detached: true, env: { PATH: process.env['PATH'], MESHBROKER_LISTEN: '127.0.0.1:0' } })); // prettier-ignore
    const beginning = join(folder.path, '.meshbroker/postgres');
    for (let tries = 0; tries < 2_000 && !(await readdir(beginning).catch(() => [])).some((name) => name.startsWith('data')); tries += 1)
      await new Promise((done) => setTimeout(done, 5));
    process.kill(-(early.child.pid ?? 0), 'SIGINT');
    expect(await early.ended, early.said()).toEqual({ code: 0, signal: null });
    expect(early.said()).not.toMatch(/does not start|"level":"(warn|error)"/);
    await started(folder.path, { MESHBROKER_LOG_LEVEL: 'warn' });
  });
  test('takes platform and admin token from its settings, and prints neither', async () => {
    const settings = { ...quick, MESHBROKER_PLATFORM: 'cf:hunter2hunter2', MESHBROKER_ADMIN_TOKEN: 'token-hunter2' };
    const broker = await started(folder.path, settings);
    expect(broker.said()).not.toContain('hunter2');
    const get = (path: string, authorization: string): Promise<Response> =>
      fetch(broker.url + path, { headers: { authorization, 'x-broker-api-version': '2.17' } });
    expect((await get('/v2/catalog', `Basic ${btoa('cf:hunter2hunter2')}`)).status).toBe(200);
    expect((await get('/v1/platforms', 'Bearer token-hunter2')).status).toBe(200);
    expect(await readdir(join(folder.path, '.meshbroker'))).not.toContain('credentials.json');
    expect((await meshbroker(folder.path, ['platform', 'list'], settings)).said).toMatch(/cf +live +1 .*\*/);
  });
  test('serves metrics and probes on a listener of their own', async () => {
    const broker = await started(folder.path, { ...quick, MESHBROKER_METRICS_LISTEN: '127.0.0.1:39871' });
    const metrics = await fetch('http://127.0.0.1:39871/metrics');
    expect(await metrics.text()).toContain('meshbroker_operations_oldest_unfinished_seconds 0');
    expect((await fetch('http://127.0.0.1:39871/readyz')).status).toBe(200);
    expect((await fetch(`${broker.url}/metrics`)).status).toBe(401);
  });
  test('beside another one in its directory, on one database, is found by the command line when that one stops, and the other way round', async () => {
    const find = async (): Promise<string> => (await meshbroker(folder.path, ['platform', 'list'], quick)).said;
    const logged = { ...quick, MESHBROKER_LOG_LEVEL: 'info' };
    const [one, two] = [await started(folder.path, logged), await started(folder.path, logged)];
    expect(await find()).toMatch(/^NAME/);
    await two.stop();
    expect(await find()).toMatch(/^NAME/);
    expect(one.said()).toContain('"operation":"platforms.list"');
    const three = await started(folder.path, logged);
    three.child.kill('SIGKILL');
    await three.ended;
    expect(await find()).toMatch(/^NAME/);
    const four = await started(folder.path, logged);
    await one.stop();
    expect(await find()).toMatch(/^NAME/);
    expect(four.said()).toContain('"operation":"platforms.list"');
    expect(await readdir(join(folder.path, '.meshbroker/brokers'))).toHaveLength(1);
  });
  test('with a catalogue that is broken says so where the person looks who started it', async () => {
    const catalog = join(folder.path, 'catalogue');
    await mkdir(catalog);
    const { said } = await started(folder.path, { ...quick, MESHBROKER_CATALOG: catalog });
    expect(said()).toContain(`1 problem in ${catalog}, nothing can be ordered: npx meshbroker catalog lint ${catalog}`);
  });
  test('warns of a setting that nothing reads', async () => {
    const broker = await started(folder.path, { ...quick, MESHBROKER_GITOPS_DIRECTORY: '/x' });
    expect(broker.said()).toMatch(/"level":"warn".*MESHBROKER_GITOPS_DIRECTORY \(did you mean MESHBROKER_GITOPS_DIR\?\)/);
  });
  test('speaks HTTPS with a certificate, and says what is wrong with a file', async () => {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder.path, name)) as [string, string];
    await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']); // prettier-ignore
    const tls = { ...quick, MESHBROKER_TLS_CERT: cert, MESHBROKER_TLS_KEY: key };
    expect(await failingStart(folder.path, { ...tls, MESHBROKER_TLS_KEY: '/no/such.pem' })).toMatchObject({
      code: 1,
      said: expect.stringContaining('MESHBROKER_TLS_KEY=/no/such.pem: cannot be read') as string,
    });
    expect((await failingStart(folder.path, { ...tls, MESHBROKER_TLS_KEY: cert })).said).toContain(
      `MESHBROKER_TLS_KEY=${cert}: holds no private key that can be read`,
    );
    await run('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', join(folder.path, 'other.pem')]);
    expect((await failingStart(folder.path, { ...tls, MESHBROKER_TLS_KEY: join(folder.path, 'other.pem') })).said).toContain(
      'other.pem: is not the key of MESHBROKER_TLS_CERT: give the pair',
    );
    const broker = await started(folder.path, tls);
    expect(broker.url).toMatch(/^https:/);
    const untrusting = await meshbroker(folder.path, ['instances'], quick);
    expect([untrusting.code, untrusting.said]).toEqual([1, expect.stringContaining('NODE_EXTRA_CA_CERTS')]);
    expect((await meshbroker(folder.path, ['instances'], { ...quick, NODE_EXTRA_CA_CERTS: cert })).code).toBe(0);
  });
});
