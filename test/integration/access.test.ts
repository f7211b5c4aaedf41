import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AccessStore } from '../../src/access/access-store.ts';
import { pgAccessStore } from '../../src/access/access-store.pg.ts';
import { accessChanges } from '../../src/access/access-changes.ts';
import { authentication } from '../../src/access/authentication.ts';
import { PlatformService } from '../../src/access/platform-service.ts';
import { pgAuditLog } from '../../src/audit/audit-log.pg.ts';
import { listen } from '../../src/db/listen.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { installPointHook } from '../../src/kernel/points.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { describeAccessStore } from '../contract/access-store.ts';
import { freshDatabase } from '../support/database.ts';
import { memoryAccessStore } from '../support/memory-access.ts';

let database: Awaited<ReturnType<typeof freshDatabase>>;
let store: AccessStore;
beforeAll(async () => {
  database = await freshDatabase();
  store = pgAccessStore(database.db);
});
afterAll(() => database.drop());

describeAccessStore('memory', () => memoryAccessStore());
describeAccessStore('PostgreSQL', () => store);

const hmacKey = Buffer.alloc(32, 9);
const service = (): PlatformService =>
  new PlatformService({
    transact: (work) => database.db.transaction((tx) => work({ access: pgAccessStore(tx), audit: pgAuditLog(tx) })),
    access: store,
    hmacKey,
    random: systemRandom,
    changes: accessChanges(),
  });
const admin = { actor: 'admin:root', requestId: 'r-1' };

describe('the platforms', () => {
  test('are made with an audit row in the same transaction, and no secret is kept', async () => {
    const made = await service().create(admin, { name: 'kept', mayBindFor: ['*'] });
    const { rows } = await database.db.run<{ everything: string }>(
      `select (select json_agg(c)::text from access_credential c) || (select json_agg(a)::text from audit_event a) as everything`,
    );
    expect(rows[0]?.everything).toContain('platform.create');
    expect(rows[0]?.everything).not.toContain(made.password);
    await expect(service().create(admin, { name: 'kept', mayBindFor: [] })).rejects.toThrow('kept is taken');
    const count = await database.db.run<{ n: number }>(
      `select count(*)::int as n from audit_event where action = 'platform.create' and resource = 'platform/kept'`,
    );
    expect(count.rows[0]?.n).toBe(1);
  });
  test('of a setting are made once by eight replicas at the same moment', async () => {
    const replicas = Array.from({ length: 8 }, () =>
      service().ensurePlatform({ name: 'compose', password: 'pass:word', mayBindFor: ['*'] }),
    );
    expect((await Promise.all(replicas)).filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect((await authentication(store, hmacKey).password('compose', 'pass:word'))?.principal).toMatchObject({
      kind: 'platform',
      name: 'compose',
      mayBindFor: ['*'],
    });
    await Promise.all(Array.from({ length: 8 }, () => service().ensureToken('admin', 'environment', 'the-token')));
    expect((await authentication(store, hmacKey).bearer('the-token'))?.principal).toEqual({ kind: 'admin', name: 'environment' });
  });
  test('whose rotation was cut off after it was done keep both credentials until the overlap ends', async () => {
    const { password } = await service().create(admin, { name: 'cut', mayBindFor: [] });
    installPointHook((name) => {
      if (name === 'R8') throw new Error('killed');
    });
    await expect(service().rotate(admin, 'cut', 60)).rejects.toThrow('killed');
    installPointHook(undefined);
    const check = authentication(store, hmacKey);
    expect((await check.password('cut', password))?.expiresInMs).toBeGreaterThan(0);
    const again = await service().rotate(admin, 'cut', 0);
    expect(await check.password('cut', password)).toBeUndefined();
    expect(await check.password('cut', again.password)).toBeDefined();
    expect((await service().list()).find(({ name }) => name === 'cut')?.credentials).toHaveLength(1);
  });
  test('tell other replicas of every change when it is committed', async () => {
    let heard = 0;
    const listener = await listen({ url: database.url, logger: silentLogger }, { access_changed: () => void (heard += 1) });
    await service().create(admin, { name: 'heard', mayBindFor: [] });
    for (const change of [() => service().rotate(admin, 'heard', 0), () => service().revoke(admin, 'heard')]) {
      await vi.waitFor(() => expect(heard).toBeGreaterThan(0));
      heard = 0;
      await change();
    }
    await vi.waitFor(() => expect(heard).toBeGreaterThan(0));
    await listener.stop();
  });
});
