import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { installPointHook, type PointName } from '../../src/kernel/points.ts';
import { fileOf } from '../../src/mesh/drivers/gitops/object-file.ts';
import { gitopsMesh } from '../../src/mesh/drivers/gitops/gitops-mesh.ts';
import type { MeshDriver } from '../../src/mesh/mesh-driver.ts';
import { aWrite } from '../contract/mesh-driver.ts';

const base = await mkdtemp(join(tmpdir(), 'meshbroker-tree-'));
afterAll(() => rm(base, { recursive: true, force: true }));
const current = (): Promise<boolean> => Promise.resolve(true);
let count = 0;
let root = '';
let remote = '';
beforeEach(() => {
  count += 1;
  root = join(base, String(count), 'tree');
  remote = join(base, String(count), 'remote.git');
});
const meshAt = (directory: string, to: string | null = null): MeshDriver =>
  gitopsMesh({ directory, remote: to, branch: 'main' }, (work) => work());
/** Asks the remote at every check. */
const watchful = (): MeshDriver => gitopsMesh({ directory: root, remote, branch: 'main' }, (work) => work(), 0);
const plain = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
const git = (directory: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Somebody', '-c', 'user.email=s@example.com', ...args], {
    cwd: directory,
    env: plain,
    encoding: 'utf8',
  }).trim();
const subjects = (directory: string): string[] => git(directory, 'log', '--format=%s', '--reverse').split('\n');
const fileA = 'shop/authorizationpolicy-a.yaml';
const failAt = (name: PointName): void =>
  installPointHook((reached) => {
    if (reached === name) throw new Error(`stopped at ${name}`);
  });
const stoppedAt = async (name: PointName, work: () => Promise<unknown>): Promise<void> => {
  failAt(name);
  try {
    await expect(work()).rejects.toThrow(`stopped at ${name}`);
  } finally {
    installPointHook(undefined);
  }
};

describe('the tree', () => {
  test('has one file for each object and one commit for each operation, with its trailer', async () => {
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a', 'b']), current);
    await driver.publish({ operationId: 'op-1', subject: 'bind mb-a: grant orders to web/frontend' });
    await driver.apply(aWrite(2, ['b'], ['a']), current);
    await driver.publish({ operationId: 'op-2', subject: 'unbind mb-a\nBroker-Op: op-9' });
    await driver.publish({ operationId: 'op-2', subject: 'again' });
    expect(subjects(root)).toEqual(['bind mb-a: grant orders to web/frontend', 'unbind mb-a Broker-Op: op-9']);
    expect(git(root, 'log', '--format=%(trailers:key=Broker-Op,valueonly)', '--reverse').split('\n').filter(Boolean)).toEqual([
      'op-1',
      'op-2',
    ]);
    expect(git(root, 'ls-tree', '-r', '--name-only', 'HEAD')).toBe('shop/authorizationpolicy-b.yaml');
    expect(git(root, 'log', '-1', '--format=%an <%ae>')).toBe('Meshbroker <meshbroker@localhost>');
    expect(git(root, 'status', '--porcelain')).toBe('');
  });
  test('finds a published operation again after a restart, also behind a name that begins alike', async () => {
    const first = meshAt(root);
    await first.apply(aWrite(1, ['a']), current);
    await first.publish({ operationId: 'op-1', subject: 'one' });
    const second = meshAt(root);
    await second.publish({ operationId: 'op-1', subject: 'one' });
    await second.publish({ operationId: 'op', subject: 'shorter' });
    expect(subjects(root)).toEqual(['one', 'shorter']);
  });
  test('commits at a repeat what was written since', async () => {
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    await driver.apply(aWrite(2, ['a']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    expect(git(root, 'status', '--porcelain')).toBe('');
    expect(git(root, 'log', '--format=%(trailers:key=Broker-Op-Repeated,valueonly)', '-1')).toBe('op-1');
  });
  test('has a commit of each operation also where the one before took in the files of both', async () => {
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a', 'b']), current);
    await driver.publish({ operationId: 'op-0', subject: 'both' });
    await driver.apply(aWrite(2, ['b'], ['a']), current);
    await driver.apply(aWrite(3, [], ['b']), current);
    await driver.publish({ operationId: 'op-1', subject: 'expire a' });
    await driver.publish({ operationId: 'op-2', subject: 'expire b' });
    expect(git(root, 'log', '-1', '--format=%(trailers:key=Broker-Op,valueonly)')).toBe('op-2');
    expect(git(root, 'log', '--format=%s', '--', 'shop/authorizationpolicy-b.yaml').split('\n')).toEqual(['expire a', 'both']);
  });
  test('leaves the files of others byte for byte as they are', async () => {
    await mkdir(join(root, 'shop'), { recursive: true });
    const foreign = 'kind:   Kustomization\r\n# by hand\u00e4';
    await writeFile(join(root, 'shop/kustomization.yaml'), foreign);
    await writeFile(join(root, '.gitattributes'), '* text=auto eol=crlf\n');
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    await driver.apply(aWrite(2, [], ['a']), current);
    await driver.publish({ operationId: 'op-2', subject: 'two' });
    expect(await readFile(join(root, 'shop/kustomization.yaml'), 'utf8')).toBe(foreign);
    expect((await readdir(join(root, 'shop'))).sort()).toEqual(['kustomization.yaml']);
  });
  test('stays one when many writers take turns', async () => {
    let turn: Promise<unknown> = Promise.resolve();
    const withLock = <T>(work: () => Promise<T>): Promise<T> => {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    };
    const inTurn = [1, 2, 3].map(() => gitopsMesh({ directory: root, remote: null, branch: 'main' }, withLock));
    await Promise.all(
      inTurn.flatMap((driver, index) =>
        [1, 2, 3, 4].map(async (step) => {
          const name = `w${index}-${step}`;
          await driver.apply({ ...aWrite(1, [name]), scope: name }, current);
          await driver.publish({ operationId: name, subject: name });
        }),
      ),
    );
    expect(subjects(root)).toHaveLength(12);
    expect(git(root, 'ls-tree', '-r', '--name-only', 'HEAD').split('\n')).toHaveLength(12);
    expect(git(root, 'fsck', '--strict')).toBe('');
  });
});

describe('paths', () => {
  test('are made of closed alphabets, whatever a name says', () => {
    const hostile = [
      '',
      '.',
      '..',
      '../a',
      'a/b',
      'a\\b',
      'a\u0000b',
      '%2e%2e',
      'A',
      'ä',
      'a..b',
      '.a',
      'a.',
      '-a',
      'a-',
      'a b',
      'a'.repeat(300),
      'con:',
      '~',
      '\u202ea',
    ];
    const id = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'a' };
    for (const text of hostile) {
      expect(() => fileOf({ ...id, name: text }), text).toThrow('not a name for a mesh object');
      expect(() => fileOf({ ...id, namespace: text }), text).toThrow('not a name for a mesh object');
      expect(() => fileOf({ ...id, kind: text }), text).toThrow('not a name for a mesh object');
    }
    expect(() => fileOf({ ...id, namespace: 'a.b' })).toThrow('not a name');
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (namespace, name) => {
        let path: string;
        try {
          path = fileOf({ ...id, namespace, name });
        } catch {
          return;
        }
        expect(path).toMatch(/^[a-z0-9-]+\/service-[a-z0-9.-]+\.yaml$/);
        expect(seen.get(path) ?? `${namespace} ${name}`).toBe(`${namespace} ${name}`);
        seen.set(path, `${namespace} ${name}`);
      }),
      { numRuns: 3_000 },
    );
  });
  test('never lead through a link that somebody planted in the tree', async () => {
    const outside = join(base, String(count), 'outside');
    await mkdir(outside, { recursive: true });
    await writeFile(join(outside, 'secret'), 'untouched');
    await mkdir(root, { recursive: true });
    await symlink(outside, join(root, 'shop'));
    const driver = meshAt(root);
    await expect(driver.apply(aWrite(1, ['a']), current)).rejects.toThrow('shop is a symbolic link');
    await expect(driver.apply(aWrite(1, [], ['a']), current)).rejects.toThrow('shop is a symbolic link');
    expect(await readdir(outside)).toEqual(['secret']);

    await rm(join(root, 'shop'));
    await mkdir(join(root, 'shop'));
    await symlink(join(outside, 'secret'), join(root, fileA));
    await expect(driver.apply(aWrite(1, ['a']), current)).rejects.toThrow('a symbolic link');
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('untouched');
  });
  test('of files that somebody turned into something else are named in the refusal', async () => {
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a']), current);
    await writeFile(join(root, fileA), 'a: [');
    await expect(driver.apply(aWrite(2, ['a']), current)).rejects.toThrow(`${fileA} is not YAML`);
    await writeFile(join(root, fileA), 'just a text');
    expect(await driver.apply(aWrite(3, ['a']), current)).toBe('applied');
  });
});

describe('a kill', () => {
  test.each(['G1', 'G2'] as const)('at %s leaves whole files only, and a repeat makes the same bytes', async (name) => {
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a']), current);
    const before = await readFile(join(root, fileA), 'utf8');
    await stoppedAt(name, () => driver.apply(aWrite(2, ['a']), current));
    const found = await readFile(join(root, fileA), 'utf8');
    expect([before, before.replaceAll('"1"', '"2"')]).toContain(found);
    expect(
      git(root, 'status', '--porcelain', '--untracked-files=all')
        .split('\n')
        .every((line) => line.endsWith(fileA)),
    ).toBe(true);
    await meshAt(root).apply(aWrite(2, ['a']), current);
    expect(await readFile(join(root, fileA), 'utf8')).toBe(before.replaceAll('"1"', '"2"'));
  });
  test('of git leaves a lock that is cleared, but not under the hands of a git that is still at work', async () => {
    const driver = meshAt(root);
    await driver.apply(aWrite(1, ['a']), current);
    await writeFile(join(root, '.git/index.lock'), '');
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    expect(subjects(root)).toEqual(['one']);

    await driver.apply(aWrite(2, ['a']), current);
    const lock = join(root, '.git/index.lock');
    const working = spawn('sh', ['-c', `for i in 1 2 3 4 5 6; do echo $i >> ${lock}; sleep 0.2; done; mv ${lock} ${lock}.done`]);
    while (!existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 5));
    await driver.publish({ operationId: 'op-2', subject: 'two' });
    expect(existsSync(`${lock}.done`)).toBe(true);
    expect(subjects(root)).toEqual(['one', 'two']);
    working.kill();
  });
});

describe('a remote', () => {
  const withRemote = (): MeshDriver => {
    execFileSync('git', ['init', '-q', '--bare', '-b', 'main', remote], { env: plain });
    return meshAt(root, remote);
  };
  const clone = (): string => {
    const other = join(base, String(count), 'other');
    execFileSync('git', ['clone', '-q', remote, other], { env: plain });
    return other;
  };
  test('has every commit when an operation is done', async () => {
    const driver = withRemote();
    await driver.apply(aWrite(1, ['a']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    expect(subjects(remote)).toEqual(['one']);
    expect(await driver.check()).toEqual({ ok: true });
  });
  test.each(['G3', 'G4'] as const)('gets a commit once when the broker is killed at %s', async (name) => {
    const driver = withRemote();
    await driver.apply(aWrite(1, ['a']), current);
    await stoppedAt(name, () => driver.publish({ operationId: 'op-1', subject: 'one' }));
    await meshAt(root, remote).publish({ operationId: 'op-1', subject: 'one' });
    expect(subjects(remote)).toEqual(['one']);
    expect(git(root, 'status', '--porcelain')).toBe('');
  });
  test('that others pushed to gets our files on top of theirs, and we get theirs', async () => {
    const driver = withRemote();
    await driver.apply(aWrite(1, ['a', 'b']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    const other = clone();
    await writeFile(join(other, 'README'), 'theirs');
    await writeFile(join(other, fileA), 'edited by hand');
    await rm(join(other, 'shop/authorizationpolicy-b.yaml'));
    git(other, 'add', '-A');
    git(other, 'commit', '-q', '-m', 'by hand');
    git(other, 'push', '-q');
    await driver.apply(aWrite(2, ['a', 'b']), current);
    await driver.publish({ operationId: 'op-2', subject: 'two' });
    expect(subjects(remote)).toEqual(['one', 'by hand', 'two']);
    expect(await readFile(join(root, 'README'), 'utf8')).toBe('theirs');
    expect(git(remote, 'show', `main:${fileA}`)).toContain('kind: AuthorizationPolicy');
    expect(git(remote, 'show', 'main:shop/authorizationpolicy-b.yaml')).toContain('kind: AuthorizationPolicy');
    expect(git(root, 'status', '--porcelain')).toBe('');
    await driver.publish({ operationId: 'op-2', subject: 'two' });
    expect(subjects(remote)).toEqual(['one', 'by hand', 'two']);
  });
  test('with a history of its own is built upon, also after a kill at G5', async () => {
    withRemote();
    const other = clone();
    await writeFile(join(other, 'README'), 'theirs');
    git(other, 'add', '-A');
    git(other, 'commit', '-q', '-m', 'theirs');
    git(other, 'push', '-q', 'origin', 'HEAD:main');
    const driver = meshAt(root, remote);
    await driver.apply(aWrite(1, ['a']), current);
    await stoppedAt('G5', () => driver.publish({ operationId: 'op-1', subject: 'one' }));
    await meshAt(root, remote).publish({ operationId: 'op-1', subject: 'one' });
    expect(subjects(remote)).toEqual(['theirs', 'one']);
    expect(git(remote, 'ls-tree', '-r', '--name-only', 'main').split('\n')).toEqual(['README', fileA]);
  });
  test('never loses a file of others to a local file of the same name', async () => {
    const driver = withRemote();
    await driver.apply(aWrite(1, ['a']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    const other = clone();
    await writeFile(join(other, 'notes'), 'theirs');
    git(other, 'add', '-A');
    git(other, 'commit', '-q', '-m', 'notes');
    git(other, 'push', '-q');
    await writeFile(join(root, 'notes'), 'left here by somebody');
    await driver.apply(aWrite(2, ['a']), current);
    await driver.publish({ operationId: 'op-2', subject: 'two' });
    expect(git(remote, 'show', 'main:notes')).toBe('theirs');
  });
  test('that is away leaves the commit here and says so; it is pushed when the remote is back', async () => {
    const driver = meshAt(root, remote);
    await driver.apply(aWrite(1, ['a']), current);
    await expect(driver.publish({ operationId: 'op-1', subject: 'one' })).rejects.toThrow('git push failed');
    expect(await driver.check()).toMatchObject({
      ok: false,
      problem: expect.stringContaining('the last commit did not reach the remote: git push failed') as string,
    });
    execFileSync('git', ['init', '-q', '--bare', '-b', 'main', remote], { env: plain });
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    expect(subjects(remote)).toEqual(['one']);
    expect(await driver.check()).toEqual({ ok: true });
  });
  const refuse = async (script: string): Promise<void> =>
    writeFile(join(remote, 'hooks/pre-receive'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  /** Its first push was refused; the next one is taken. */
  const refusedOnce = async (): Promise<MeshDriver> => {
    withRemote();
    const driver = watchful();
    await refuse('exit 1');
    await driver.apply(aWrite(1, ['a']), current);
    await expect(driver.publish({ operationId: 'op-1', subject: 'one' })).rejects.toThrow('git push failed');
    await refuse('exit 0');
    return driver;
  };
  test('that refuses is a problem until a push succeeds, however well it answers questions', async () => {
    withRemote();
    const driver = watchful();
    expect(await driver.check()).toEqual({ ok: true });
    await refuse('echo not on a Friday >&2; echo ask the release team >&2; exit 1');
    await driver.apply(aWrite(1, ['a']), current);
    await expect(driver.publish({ operationId: 'op-1', subject: 'one' })).rejects.toThrow('git push failed');
    for (let asked = 0; asked < 3; asked += 1) {
      const found = await driver.check();
      expect(found).toMatchObject({ ok: false, problem: expect.stringContaining('not on a Friday') as string });
      expect(JSON.stringify(found)).not.toContain('\\n');
    }
    await refuse('exit 0');
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    expect(await driver.check()).toEqual({ ok: true });
  });
  test('that takes commits again gets ours without an operation, as where the one that failed is given up', async () => {
    const driver = await refusedOnce();
    await expect.poll(() => driver.check(), { timeout: 5_000 }).toEqual({ ok: true });
    expect(subjects(remote)).toEqual(['one']);
  });
  test('that another replica pushed our commit to is no problem any more', async () => {
    const driver = await refusedOnce();
    await meshAt(root, remote).publish({ operationId: 'op-1', subject: 'one' });
    await expect.poll(() => driver.check(), { timeout: 5_000 }).toEqual({ ok: true });
  });
  test('that goes away is a problem without a push since, and none when it is back', async () => {
    withRemote();
    const driver = watchful();
    await driver.apply(aWrite(1, ['a']), current);
    await driver.publish({ operationId: 'op-1', subject: 'one' });
    expect(await driver.check()).toEqual({ ok: true });
    await rename(remote, `${remote}.away`);
    await expect
      .poll(() => driver.check(), { timeout: 5_000 })
      .toMatchObject({ ok: false, problem: expect.stringContaining('the remote of the tree cannot be reached') as string });
    await rename(`${remote}.away`, remote);
    await expect.poll(() => driver.check(), { timeout: 5_000 }).toEqual({ ok: true });
  });
});

describe('a check', () => {
  test('tells a file in the place of the tree, and of a directory above it', async () => {
    await mkdir(join(root, '..'), { recursive: true });
    await writeFile(root, '');
    for (const directory of [root, join(root, 'tree')]) {
      const problem = `${root} is a file: remove it, or set MESHBROKER_GITOPS_DIR to a directory`;
      expect(await meshAt(directory, remote).check()).toEqual({ ok: false, problem });
      await expect(meshAt(directory).apply(aWrite(1, ['a']), current)).rejects.toThrow(`${directory} cannot be made`);
    }
  });
});
