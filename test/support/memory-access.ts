import type { AccessStore, LiveCredential, PlatformRow, TokenRow } from '../../src/access/access-store.ts';
import { accessChanges } from '../../src/access/access-changes.ts';
import { authentication } from '../../src/access/authentication.ts';
import { PlatformService } from '../../src/access/platform-service.ts';
import type { AuditEntry, AuditLog } from '../../src/audit/audit.ts';
import type { Random } from '../../src/kernel/random.ts';
import { systemRandom } from '../../src/kernel/random.ts';

interface Stored {
  readonly id: string;
  readonly kind: LiveCredential['kind'];
  readonly platformId: string | null;
  readonly name: string;
  readonly digest: Buffer;
  readonly createdAt: Date;
  expiresAt: Date | null;
  revoked: boolean;
}
/** The access store without a database; held by the same suite as the real one (test/contract/access-store.ts). */
export function memoryAccessStore(now: () => Date = () => new Date()): AccessStore {
  const platforms = new Map<string, PlatformRow>();
  let credentials: Stored[] = [];
  const isLive = (each: Stored): boolean => !each.revoked && (each.expiresAt === null || each.expiresAt > now());
  const owner = (each: Stored): PlatformRow | undefined => (each.platformId === null ? undefined : platforms.get(each.platformId));
  const add = (credential: Omit<Stored, 'createdAt' | 'expiresAt' | 'revoked'>): void =>
    void credentials.push({ ...credential, createdAt: now(), expiresAt: null, revoked: false });
  return {
    findLive(digest) {
      const found = credentials.find((each) => each.digest.equals(digest) && isLive(each) && (owner(each)?.revokedAt ?? null) === null);
      if (found === undefined) return Promise.resolve(undefined);
      const { kind, platformId, expiresAt } = found;
      const expiresInMs = expiresAt === null ? null : expiresAt.getTime() - now().getTime();
      return Promise.resolve({
        digest: found.digest,
        kind,
        platformId,
        name: owner(found)?.name ?? found.name,
        mayBindFor: owner(found)?.mayBindFor ?? [],
        expiresInMs,
      });
    },
    insertPlatform(platform) {
      if ([...platforms.values()].some(({ name }) => name === platform.name)) return Promise.resolve(false);
      platforms.set(platform.id, { ...platform, createdAt: now(), revokedAt: null });
      return Promise.resolve(true);
    },
    lockPlatform: (nameOrId) => Promise.resolve([...platforms.values()].find(({ id, name }) => name === nameOrId || id === nameOrId)),
    platforms: () => Promise.resolve([...platforms.values()].sort((a, b) => (a.name < b.name ? -1 : 1))),
    credentials: () =>
      Promise.resolve(
        credentials
          .filter((each) => each.kind === 'platform' && isLive(each))
          .map(({ id, platformId, createdAt, expiresAt }) => ({ id, platformId: platformId!, createdAt, expiresAt })),
      ),
    insertCredential(credential) {
      const taken = credentials.some(
        (each) =>
          each.digest.equals(credential.digest) ||
          (credential.platformId === null && each.kind === credential.kind && each.name === credential.name && !each.revoked),
      );
      if (!taken) add(credential);
      return Promise.resolve(!taken);
    },
    expireOthers(platformId, keepId, overlapSeconds) {
      const end = new Date(now().getTime() + overlapSeconds * 1_000);
      for (const each of credentials) {
        if (each.platformId === platformId && each.id !== keepId && isLive(each) && (each.expiresAt === null || each.expiresAt > end))
          each.expiresAt = end;
      }
      return Promise.resolve(end);
    },
    revokePlatform(platformId) {
      const platform = platforms.get(platformId);
      if (platform !== undefined) platforms.set(platformId, { ...platform, revokedAt: platform.revokedAt ?? now() });
      for (const each of credentials) if (each.platformId === platformId) each.revoked = true;
      return Promise.resolve();
    },
    setMayBindFor(platformId, mayBindFor) {
      const platform = platforms.get(platformId);
      if (platform !== undefined) platforms.set(platformId, { ...platform, mayBindFor });
      return Promise.resolve();
    },
    replaceToken(token) {
      for (const each of credentials) if (each.kind === token.kind && each.name === token.name) each.revoked = true;
      credentials = credentials.filter((each) => !each.digest.equals(token.digest));
      add({ ...token, platformId: null });
      return Promise.resolve();
    },
    tokens: () =>
      Promise.resolve(
        credentials
          .filter((each) => each.kind !== 'platform' && isLive(each))
          .map(({ id, kind, name, createdAt }) => ({ id, kind: kind as TokenRow['kind'], name, createdAt }))
          .sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1)),
      ),
    revokeToken(kind, name) {
      const found = credentials.filter((each) => each.kind === kind && each.name === name && isLive(each));
      for (const each of found) each.revoked = true;
      return Promise.resolve(found.length > 0);
    },
  };
}

/** Platforms, credentials and audit in memory, with one platform `cf`, an admin token and a collector token. */
export async function memoryAccess(random: Random = systemRandom) {
  const store = memoryAccessStore();
  const changes = accessChanges();
  const audited: AuditEntry[] = [];
  const audit: AuditLog = { append: (entry) => Promise.resolve(void audited.push(entry)) };
  const hmacKey = Buffer.alloc(32, 7);
  const platforms = new PlatformService({ transact: (work) => work({ access: store, audit }), access: store, hmacKey, random, changes });
  const caller = { actor: 'admin:test', requestId: null };
  const cf = await platforms.create(caller, { name: 'cf', mayBindFor: ['*'] });
  const admin = await platforms.createToken(caller, 'admin', 'root');
  const collector = await platforms.createToken(caller, 'collector', 'gateway');
  return {
    platforms, changes, audit, audited,
    authentication: authentication(store, hmacKey),
    as: {
      cf: basic(cf.username, cf.password),
      admin: `Bearer ${admin.token}`,
      collector: `Bearer ${collector.token}`,
    },
    cf,
  }; // prettier-ignore
}
export const basic = (userName: string, password: string): string => `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`;
