import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import type { DatabaseProxy } from '../support/database-proxy.ts';
import { databaseProxy } from '../support/database-proxy.ts';
import type { RunningNode } from '../support/run-node.ts';
import { watch } from '../support/run-node.ts';
import { all, commandOf, environmentOf, last, stages } from './dockerfile.ts';

const final = stages().at(-1);
const uid = 65_532;
const isRoot = process.getuid?.() === 0;
let directory: string;
let proxy: DatabaseProxy;
let drop: () => Promise<void>;
let port: number;

beforeAll(async () => {
  for (const program of ['bwrap', 'setpriv'])
    if (!['/usr/bin', '/bin'].some((folder) => existsSync(join(folder, program))))
      throw new Error(`${program} is missing: apt-get install bubblewrap util-linux`);
  directory = await mkdtemp(join(tmpdir(), 'meshbroker-image-'));
  await chmod(directory, 0o755);
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', join(directory, 'meshbroker/dist')]);
  for (const copy of all(final, 'COPY').filter((each) => !each.startsWith('--from')))
    for (const source of copy.split(/\s+/).slice(0, -1)) await cp(source, join(directory, 'meshbroker', source), { recursive: true });
  for (const folder of ['data', 'meshbroker/node_modules']) await mkdir(join(directory, folder), { mode: 0o755 });
  if (isRoot) await chown(join(directory, 'data'), uid, uid);
  const fresh = await freshDatabase();
  ({ drop } = fresh);
  proxy = await databaseProxy(fresh.url);
  port = 20_000 + (process.pid % 20_000);
}, 120_000);
afterAll(async () => {
  await proxy.close();
  await drop();
  await rm(directory, { recursive: true, force: true });
});

/** A command of the image as its user: read-only root, no capabilities, its own /tmp and /data, the host's network. */
function inImage(command: readonly string[]): RunningNode {
  const environment = {
    ...environmentOf(final),
    MESHBROKER_LISTEN: `127.0.0.1:${port}`,
    DATABASE_URL: proxy.url,
    PATH: '/node:/usr/bin:/bin',
  };
  const system = ['/bin', '/lib', '/lib64', '/etc'].filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', path, path]);
  const jail = [
    '--die-with-parent', '--unshare-ipc', '--unshare-pid', '--unshare-uts', '--clearenv', '--ro-bind', '/usr', '/usr', ...system,
    '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--chmod', '1777', '/tmp',
    '--ro-bind', process.execPath, '/node/node', '--ro-bind', join(directory, 'meshbroker'), '/meshbroker',
    '--ro-bind', resolve('node_modules'), '/meshbroker/node_modules', '--bind', join(directory, 'data'), '/data',
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    '--chdir', last(final, 'WORKDIR'), '--remount-ro', '/',
  ]; // prettier-ignore
  const toUser = isRoot
    ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--']
    : [];
  const user = isRoot ? ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID', '--cap-add', 'CAP_SETPCAP'] : ['--unshare-user', '--uid', String(uid), '--gid', String(uid)]; // prettier-ignore
  return watch(spawn('bwrap', [...user, ...jail, ...toUser, ...command]));
}
const passwordOf = (said: string): string => /password (\S+)/.exec(said)?.[1] ?? '';

describe("the image's start command, as another user with a read-only root", () => {
  test('is really in a jail', async () => {
    const look = inImage([
      'sh',
      '-c',
      'id -u; touch /meshbroker/x /x; grep CapEff /proc/self/status; touch /data/x && rm /data/x && echo writable',
    ]);
    await look.ended;
    expect(look.said()).toMatch(/^65532$/m);
    expect(look.said().match(/Read-only file system/g)).toHaveLength(2);
    expect(look.said()).toMatch(/CapEff:\s+0{16}/);
    expect(look.said()).toContain('writable');
  });
  test('serves, is healthy, binds into its volume, and stops cleanly', { timeout: 60_000 }, async () => {
    const sick = inImage(commandOf(last(final, 'HEALTHCHECK')));
    expect((await sick.ended).code).toBe(1);
    const running = inImage(commandOf(last(final, 'CMD')));
    await running.saying('What was used');
    const healthy = inImage(commandOf(last(final, 'HEALTHCHECK')));
    expect(await healthy.ended, healthy.said()).toEqual({ code: 0, signal: null });

    const url = `http://127.0.0.1:${port}/v2`;
    const headers = {
      authorization: `Basic ${Buffer.from(`platform:${passwordOf(running.said())}`).toString('base64')}`,
      'x-broker-api-version': '2.17',
      'content-type': 'application/json',
    };
    const { services } = (await (await fetch(`${url}/catalog`, { headers })).json()) as { services: { id: string; name: string; plans: { id: string; name: string }[] }[] }; // prettier-ignore
    const details = services.find(({ name }) => name === 'details');
    const ids = { service_id: details?.id, plan_id: details?.plans.find(({ name }) => name === 'standard')?.id };
    const put = (path: string, body: object): Promise<Response> => fetch(url + path, { method: 'PUT', headers, body: JSON.stringify({ ...ids, ...body }) }); // prettier-ignore
    expect((await put('/service_instances/i', { organization_guid: 'o', space_guid: 's' })).status).toBe(201);
    const context = { platform: 'kubernetes', namespace: 'web', clusterid: 'c' };
    expect((await put('/service_instances/i/service_bindings/b', { context })).status).toBe(201);
    expect(await readdir(join(directory, 'data/mesh'))).toContain('web');

    const kept = await stat(join(directory, 'data/secret'));
    expect([kept.mode & 0o777, kept.size, kept.uid]).toEqual([0o600, 32, isRoot ? uid : process.getuid?.()]);
    const pid = brokerPid(running.child.pid ?? 0);
    process.kill(pid, 'SIGTERM');
    expect(await running.ended, running.said()).toEqual({ code: 0, signal: null });
    expect(running.said()).toContain('the broker has stopped');
  });
});

/** The only descendant of bwrap that runs Node. */
function brokerPid(parent: number): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').filter((pid) => pid !== ''); // prettier-ignore
  for (const child of children.map(Number)) {
    if (readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('dist/src/main.js') && !readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('bwrap')) return child; // prettier-ignore
    const found = brokerPid(child);
    if (found > 0) return found;
  }
  return 0;
}
