import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { expect } from 'vitest';
import { bookinfo } from '../support/app.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { osbClient, type OsbClient } from '../support/osb-client.ts';
import { pause, startBroker, type BrokerProcess } from './broker-process.ts';

const run = promisify(execFile);
const login = { user: 'kill', password: 'kill-suite-0123456789abcdef-0123456789' };
const convergeMs = 90_000;

/** One database, one gitops tree, and the brokers that are started and killed on them. */
export interface KillLab {
  readonly fresh: FreshDatabase;
  readonly tree: string;
  readonly login: typeof login;
  start(crashAt?: string): Promise<BrokerProcess>;
  client(broker: BrokerProcess): OsbClient;
  /** Waits until nothing is unfinished, then checks every invariant. */
  expectConverged(): Promise<void>;
  close(): Promise<void>;
}
/** `more`: settings besides those of every kill test. */
export async function killLab(more: Readonly<Record<string, string>> = {}): Promise<KillLab> {
  const fresh = await freshDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'mb-kill-'));
  const tree = join(directory, 'mesh');
  await writeFile(join(directory, 'secret'), randomBytes(32), { mode: 0o600 });
  const running = new Set<BrokerProcess>();
  const environment = {
    DATABASE_URL: fresh.url,
    MESHBROKER_LISTEN: '127.0.0.1:0',
    MESHBROKER_SECRET_FILE: join(directory, 'secret'),
    MESHBROKER_CATALOG: bookinfo,
    MESHBROKER_MESH: 'gitops',
    MESHBROKER_GITOPS_DIR: tree,
    MESHBROKER_PLATFORM: `${login.user}:${login.password}`,
    MESHBROKER_LOG_LEVEL: 'info',
    ...more,
  };
  let started = 0;
  return {
    fresh,
    tree,
    login,
    async start(crashAt) {
      started += 1;
      const own = {
        MESHBROKER_DATA_DIR: join(directory, `data-${started}`),
        ...(crashAt === undefined ? {} : { MESHBROKER_CRASH_AT: crashAt }),
      };
      const broker = await startBroker({ ...environment, ...own });
      running.add(broker);
      void broker.gone.then(() => running.delete(broker));
      return broker;
    },
    client: (broker) => osbClient(broker.url, login),
    expectConverged: () => expectConverged(fresh, tree),
    async close() {
      for (const broker of running) broker.kill('SIGKILL');
      await Promise.all([...running].map(({ gone }) => gone));
      await fresh.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function expectConverged({ db }: FreshDatabase, tree: string): Promise<void> {
  const unfinished = `select kind, state, step, attempts, last_error from operation where state not in ('succeeded', 'failed')`;
  for (const end = performance.now() + convergeMs; ;) {
    const { rows } = await db.run(unfinished);
    if (rows.length === 0) break;
    if (performance.now() > end) throw new Error(`did not converge: ${JSON.stringify(rows)}`);
    await pause(50);
  }
  // The tree holds exactly what the scopes say, at their newest revision, committed.
  const { rows: scopes } = await db.run<{
    scope: string;
    revision: number;
    settled_revision: number;
    object_ids: { namespace: string; kind: string; name: string }[];
  }>('select scope, revision, settled_revision, object_ids from mesh_scope');
  expect(scopes.filter(({ revision, settled_revision: settled }) => revision !== settled)).toEqual([]);
  const wanted = scopes.flatMap(({ object_ids: ids }) => ids.map(({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)).sort();
  const objects = await readTree(tree);
  expect(objects.map(({ key }) => key).sort()).toEqual(wanted);
  expect((await run('git', ['-C', tree, 'status', '--porcelain'])).stdout).toBe('');
  // No orphans: every reference in the tree is of a live binding or instance.
  const { rows: live } = await db.run<{ ref: string }>(`select ref from service_binding where exposure <> 'hidden'`);
  const known = new Set(live.map(({ ref }) => ref));
  const named = new Set(objects.flatMap(({ text }) => text.match(/mb-[a-z2-7]{20}/g) ?? []));
  const { rows: instances } = await db.run<{ ref: string }>('select ref from service_instance');
  instances.forEach(({ ref }) => known.add(ref));
  expect([...named].filter((ref) => !known.has(ref))).toEqual([]);
  const { rows: missing } = await db.run(`select ref from service_binding where state = 'ready' and exposure <> 'granted'`);
  expect(missing).toEqual([]);
  expect(live.filter(({ ref }) => !named.has(ref))).toEqual([]);
  // No duplicates, nothing half done.
  const { rows: twice } = await db.run(`select binding_ref from certificate where state = 'issued' group by 1 having count(*) > 1`);
  expect(twice).toEqual([]);
  const { rows: idle } = await db.run(
    `select 'binding', state from service_binding where state in ('binding', 'unbinding')
      union all select 'instance', state from service_instance where state in ('provisioning', 'updating', 'deprovisioning')`,
  );
  expect(idle).toEqual([]);
  const { rows: orphaned } = await db.run(
    `select b.ref from service_binding b join service_instance i on i.id = b.instance_uuid where b.state <> 'gone' and i.state = 'gone'`,
  );
  expect(orphaned).toEqual([]);
  await expectOneCommitEach(tree);
}

async function expectOneCommitEach(tree: string): Promise<void> {
  const { stdout } = await run('git', ['-C', tree, 'log', '--format=%(trailers:key=Broker-Op,valueonly,separator=%x2C)'], {
    maxBuffer: 1 << 26,
  });
  const ids = stdout.split('\n').filter((line) => line !== '');
  expect(ids.length).toBe(new Set(ids).size);
}

async function readTree(tree: string): Promise<readonly { key: string; text: string }[]> {
  const files = (await readdir(tree, { recursive: true })).filter((file) => file.endsWith('.yaml') && !file.startsWith('.git/'));
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(tree, file), 'utf8');
      const object = load(text) as { kind: string; metadata: { name: string; namespace: string } };
      return { key: `${object.metadata.namespace}/${object.kind}/${object.metadata.name}`, text };
    }),
  );
}
