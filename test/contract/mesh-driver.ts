import { describe, expect, test } from 'vitest';
import { compile } from '../../src/mesh/compile.ts';
import type { MeshDriver, ScopeWrite } from '../../src/mesh/mesh-driver.ts';

import { objectId, type MeshObject } from '../../src/mesh/mesh-object.ts';
import { contentHash } from '../../src/mesh/prepare-scopes.ts';
import { gatewayScope, guardScope } from '../../src/mesh/scope.ts';
import { scopesAt } from '../../src/mesh/scopes-of.ts';
import { aContribution, aGuard, goldTraffic, meshSettings } from '../support/mesh-contributions.ts';

const current = (): Promise<boolean> => Promise.resolve(true);

/** An object of one scope as the compiler hands it out. */
export function anObject(name: string, revision: number, text = 'x'): MeshObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: {
      name,
      namespace: 'shop',
      labels: { 'app.kubernetes.io/managed-by': 'meshbroker' },
      annotations: { 'meshbroker.dev/binding-id': text, 'meshbroker.dev/generation': String(revision) },
    },
    spec: { action: 'ALLOW', rules: [{ from: [{ source: { principals: [`mesh.example.com/ns/web/sa/${name}`] } }] }] },
  };
}
export const aWrite = (revision: number, names: readonly string[], removed: readonly string[] = [], text = 'x'): ScopeWrite => ({
  scope: 'grant/mb-a',
  revision,
  put: names.map((name) => anObject(name, revision, text)),
  remove: removed.map((name) => objectId(anObject(name, revision))),
});
/** Every mesh driver must pass this. `make` gives one whose target is empty. */
export function describeMeshDriver(name: string, make: () => Promise<MeshDriver>): void {
  const present = async (driver: MeshDriver, names: readonly string[]): Promise<readonly string[]> =>
    (await driver.read(names.map((each) => objectId(anObject(each, 1))))).map((object) => object.metadata.name);

  describe(`mesh driver: ${name}`, () => {
    test('holds what a write puts, as it was put, and nothing that it removes', async () => {
      const driver = await make();
      expect(await driver.apply(aWrite(1, ['a', 'b']), current)).toBe('applied');
      expect(await driver.read([objectId(anObject('a', 1))])).toEqual([anObject('a', 1)]);
      expect(await driver.apply(aWrite(2, ['b', 'c'], ['a']), current)).toBe('applied');
      expect(await present(driver, ['a', 'b', 'c', 'd'])).toEqual(['b', 'c']);
      await driver.close();
    });
    test('takes the same write twice, and the removal of what is not there', async () => {
      const driver = await make();
      const write = aWrite(1, ['a'], ['never']);
      expect([await driver.apply(write, current), await driver.apply(write, current)]).toEqual(['applied', 'applied']);
      expect(await present(driver, ['a', 'never'])).toEqual(['a']);
      await driver.close();
    });
    test('never puts an older revision over a newer one', async () => {
      const driver = await make();
      await driver.apply(aWrite(7, ['a'], [], 'newer'), current);
      expect(await driver.apply(aWrite(6, ['a'], [], 'older'), current)).toBe('superseded');
      expect(await driver.apply(aWrite(6, [], ['a']), current)).toBe('superseded');
      expect(await driver.read([objectId(anObject('a', 1))])).toEqual([anObject('a', 7, 'newer')]);
      await driver.close();
    });
    test('writes nothing when a newer revision is recorded', async () => {
      const driver = await make();
      expect(await driver.apply(aWrite(1, ['a']), () => Promise.resolve(false))).toBe('superseded');
      expect(await present(driver, ['a'])).toEqual([]);
      await driver.close();
    });
    test('ends with the newest revision whatever the order in which many writers come', async () => {
      const driver = await make();
      let newest = 0;
      const writers = [3, 1, 5, 2, 4].map(async (revision) => {
        newest = Math.max(newest, revision);
        return driver.apply(aWrite(revision, ['a', 'b'], [], `at ${revision}`), () => Promise.resolve(revision === newest));
      });
      expect(await Promise.all(writers)).toContain('applied');
      expect(await driver.read([objectId(anObject('a', 1))])).toEqual([anObject('a', 5, 'at 5')]);
      await driver.close();
    });
    test('keeps any text of an annotation', async () => {
      const driver = await make();
      const hostile = [
        'yes',
        '1:30',
        '../../etc/passwd',
        'a\n---\nkind: Secret',
        '\u0085\u2028\ufeff',
        '😀',
        '*a',
        '{{ x }}',
        '__proto__',
        '%2e%2e',
      ];
      for (const [index, text] of hostile.entries()) {
        await driver.apply(aWrite(index + 1, ['a'], [], text), current);
        expect(await driver.read([objectId(anObject('a', 1))])).toEqual([anObject('a', index + 1, text)]);
      }
      await driver.close();
    });
    test('reads back what was compiled, by its content: nothing lost, nothing added, whatever the form it is kept in', async () => {
      const driver = await make();
      const members = [
        aContribution({ traffic: goldTraffic }),
        aContribution({ binding: 'second', kind: 'off-mesh', traffic: goldTraffic }),
      ];
      const guards = [aGuard({})];
      const scopes = new Set([
        guardScope('orders-id'),
        gatewayScope,
        ...members.flatMap((each) => scopesAt(each, 'granted', meshSettings)),
      ]);
      for (const scope of scopes) {
        const here = members.filter((each) => scopesAt(each, 'granted', meshSettings).includes(scope));
        const objects = compile(scope, { members: here, guards }, meshSettings);
        expect(objects.length).toBeGreaterThan(0);
        await driver.apply({ scope, revision: 1, put: objects, remove: [] }, current);
        expect(contentHash(await driver.read(objects.map(objectId)))).toBe(contentHash(objects));
      }
      await driver.close();
    });
    test('tells of a content that differs, also under the same generation', async () => {
      const driver = await make();
      await driver.apply(aWrite(1, ['a', 'b']), current);
      const ids = aWrite(1, ['a', 'b']).put.map(objectId);
      expect(contentHash(await driver.read(ids))).toBe(contentHash(aWrite(9, ['a', 'b']).put));
      expect(contentHash(await driver.read(ids))).not.toBe(contentHash(aWrite(1, ['a', 'b'], [], 'other').put));
      expect(contentHash(await driver.read(ids.toReversed()))).toBe(contentHash(aWrite(1, ['b', 'a']).put));
      await driver.close();
    });
    test('tells nothing when it is asked for nothing', async () => {
      const driver = await make();
      expect(await driver.read([])).toEqual([]);
      await driver.close();
    });
    test('publishes an operation, and again, and one that changed nothing', async () => {
      const driver = await make();
      await driver.apply(aWrite(1, ['a']), current);
      await driver.publish({ operationId: 'op-1', subject: 'bind a' });
      await driver.publish({ operationId: 'op-1', subject: 'bind a' });
      await driver.publish({ operationId: 'op-2', subject: 'nothing new' });
      expect(await present(driver, ['a'])).toEqual(['a']);
      await driver.close();
    });
    test('says that its target can be used', async () => {
      const driver = await make();
      expect(await driver.check()).toEqual({ ok: true });
      await driver.close();
    });
  });
}
