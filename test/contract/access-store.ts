import { describe, expect, test } from 'vitest';
import type { AccessStore, NewCredential } from '../../src/access/access-store.ts';
import { credentialDigest } from '../../src/access/credential.ts';
import { systemRandom } from '../../src/kernel/random.ts';

const key = Buffer.alloc(32, 1);
const uuid = (): string => systemRandom.uuid();
const credential = (platformId: string, name: string, secret: string): NewCredential => ({
  id: uuid(),
  kind: 'platform',
  platformId,
  name,
  digest: credentialDigest(key, name, secret),
});
const token = (kind: 'admin' | 'collector', name: string, secret: string) => ({
  id: uuid(),
  kind,
  platformId: null,
  name,
  digest: credentialDigest(key, null, secret),
});

/** What every store of credentials must do. */
export function describeAccessStore(name: string, make: () => AccessStore): void {
  describe(`access store: ${name}`, () => {
    test('finds a credential by its digest and no other', async () => {
      const store = make();
      const id = uuid();
      expect(await store.insertPlatform({ id, name: 'find', mayBindFor: ['web', '*'] })).toBe(true);
      expect(await store.insertCredential(credential(id, 'find', 'secret'))).toBe(true);
      expect(await store.findLive(credentialDigest(key, 'find', 'secret'))).toMatchObject({
        kind: 'platform',
        platformId: id,
        name: 'find',
        mayBindFor: ['web', '*'],
        expiresInMs: null,
      });
      for (const digest of [
        credentialDigest(key, 'find', 'Secret'),
        credentialDigest(key, 'fin', 'dsecret'),
        credentialDigest(key, null, 'secret'),
      ])
        expect(await store.findLive(digest)).toBeUndefined();
    });
    test('takes a platform name and a digest once', async () => {
      const store = make();
      const id = uuid();
      await store.insertPlatform({ id, name: 'once', mayBindFor: [] });
      expect(await store.insertPlatform({ id: uuid(), name: 'once', mayBindFor: [] })).toBe(false);
      await store.insertCredential(credential(id, 'once', 'a'));
      expect(await store.insertCredential(credential(id, 'once', 'a'))).toBe(false);
    });
    test('ends all other credentials of a platform after the overlap, never later than before', async () => {
      const store = make();
      const id = uuid();
      await store.insertPlatform({ id, name: 'overlap', mayBindFor: [] });
      const [old, next, last] = ['old', 'next', 'last'].map((secret) => credential(id, 'overlap', secret));
      await store.insertCredential(old!);
      await store.insertCredential(next!);
      const end = await store.expireOthers(id, next!.id, 60);
      const live = await store.findLive(old!.digest);
      expect(live?.expiresInMs).toBeGreaterThan(50_000);
      expect(live?.expiresInMs).toBeLessThanOrEqual(60_000);
      expect((await store.findLive(next!.digest))?.expiresInMs).toBeNull();
      await store.insertCredential(last!);
      await store.expireOthers(id, last!.id, 3_600);
      const ends = (await store.credentials()).filter(({ platformId }) => platformId === id).map(({ expiresAt }) => expiresAt);
      expect(ends[0]?.getTime()).toBe(end.getTime());
      await store.expireOthers(id, last!.id, 0);
      expect(await store.findLive(old!.digest)).toBeUndefined();
      expect(await store.findLive(last!.digest)).toBeDefined();
    });
    test('ends everything of a revoked platform', async () => {
      const store = make();
      const id = uuid();
      await store.insertPlatform({ id, name: 'revoked', mayBindFor: [] });
      const only = credential(id, 'revoked', 'x');
      await store.insertCredential(only);
      await store.revokePlatform(id);
      expect(await store.findLive(only.digest)).toBeUndefined();
      expect((await store.lockPlatform('revoked'))?.revokedAt).toBeInstanceOf(Date);
      expect((await store.lockPlatform(id))?.name).toBe('revoked');
      expect(await store.lockPlatform('nobody')).toBeUndefined();
    });
    test('keeps one live token per kind and name', async () => {
      const store = make();
      const first = token('collector', 'edge', 'c-1');
      expect(await store.insertCredential(first)).toBe(true);
      expect(await store.insertCredential(token('collector', 'edge', 'c-2'))).toBe(false);
      expect(await store.insertCredential(token('admin', 'edge', 'a-1'))).toBe(true);
      expect((await store.tokens()).map(({ kind, name: called }) => `${kind} ${called}`)).toEqual(['admin edge', 'collector edge']);
      expect(await store.revokeToken('collector', 'edge')).toBe(true);
      expect(await store.revokeToken('collector', 'edge')).toBe(false);
      expect(await store.findLive(first.digest)).toBeUndefined();
      expect(await store.insertCredential(token('collector', 'edge', 'c-3'))).toBe(true);
    });
    test('replaces the token of a setting back and forth', async () => {
      const store = make();
      const [a, b] = [token('admin', 'environment', 'a'), token('admin', 'environment', 'b')];
      for (const [now, other] of [
        [a, b],
        [b, a],
        [a, b],
        [a, b],
      ] as const) {
        await store.replaceToken({ ...now, id: uuid() });
        expect(await store.findLive(now.digest)).toMatchObject({ kind: 'admin', name: 'environment' });
        expect(await store.findLive(other.digest)).toBeUndefined();
      }
    });
  });
}
