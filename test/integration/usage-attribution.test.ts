import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { Usage } from '../../src/usage/create-usage.pg.ts';
import { freshDatabase } from '../support/database.ts';
import { attributed, attribution, requestEvent, reviewsHost, totals, usageOn, webPrincipal } from '../support/usage.ts';

let db: Database;
let other: Database;
let drop: () => Promise<void>;
let usage: Usage;
beforeAll(async () => {
  const fresh = await freshDatabase();
  ({ db } = fresh);
  other = openDatabase({ url: fresh.url });
  drop = async () => {
    await other.close();
    await fresh.drop();
  };
});
afterAll(() => drop());
let source = 0;
beforeEach(async () => {
  usage = usageOn(db);
  source += 1;
  await db.run('truncate usage_hour, usage_day, usage_batch, attribution, usage_subject');
});
const send = (to: Usage, ...events: (Parameters<typeof requestEvent>[1] | undefined)[]) =>
  to.ingestion.ingest('c', events.map((changes, index) => requestEvent(index, { source: `urn:${source}`, id: `${source} ${JSON.stringify(changes)} ${index}`, ...changes }))); // prettier-ignore
const owners = async (): Promise<string[]> =>
  (await totals(usage, { groupBy: ['binding', 'plan', 'meter'] })).filter((line) => line.includes('requests'));
const at = (time: string) => ({ time: `2026-11-24T${time}Z` });
const day = (time: string): string => `2026-11-24T${time}Z`;

describe('usage finds its binding', () => {
  test('by verdict and by authorization policy, also where principal and host say nothing', async () => {
    await attributed(db, usage, attribution('b'));
    const { bindingRef } = attribution('b');
    await send(
      usage,
      { data: { policy: `${bindingRef}.gold`, principal: 'spiffe://x/y', host: 'z' } },
      { data: { policy: `ns[bookinfo]-policy[${bindingRef}]-rule[0]`, principal: null } },
    );
    expect(await owners()).toEqual(['lineage-b reviews/canary requests 2']);
  });
  test('by principal, host and time, where no policy is named', async () => {
    await attributed(db, usage, attribution('b'));
    await send(
      usage,
      undefined,
      { data: { host: 'reviews.bookinfo:9080' } },
      { data: { policy: 'ns[bookinfo]-policy[reviews-callers]-rule[0]' } },
    );
    await send(
      usage,
      { data: { host: 'ratings.bookinfo.svc.cluster.local' } },
      { data: { principal: 'spiffe://mesh.example.com/ns/bookinfo/sa/bookinfo-productpage' } },
    );
    expect(await owners()).toEqual(['?   requests 2', 'lineage-b reviews/canary requests 3']);
  });
  test('under the plan that it had then', async () => {
    await attributed(db, usage, attribution('b'), '2026-11-01T00:00:00Z', day('10:00:00'));
    await attributed(db, usage, attribution('b', { planId: 'p-gold', planName: 'gold' }), day('10:00:00'));
    await send(usage, at('09:59:59.999'), at('10:00:00'), at('11:00:00'));
    expect(await owners()).toEqual(['lineage-b reviews/canary requests 1', 'lineage-b reviews/gold requests 2']);
  });
  test('not before it began and not after it ended, but for what its own grant let in', async () => {
    await attributed(db, usage, attribution('b'), day('09:00:00'), day('10:00:00'));
    const { bindingRef: policy } = attribution('b');
    await send(
      usage,
      at('08:59:59'),
      at('10:00:00'),
      { ...at('10:00:01'), data: { policy } },
      { ...at('08:59:30'), data: { policy } },
      { ...at('10:30:00'), data: { policy } },
    );
    expect(await owners()).toEqual(['?   requests 3', 'lineage-b reviews/canary requests 2']);
  });
  test('through a rotation without doubt, and the oldest of several lineages with a flag', async () => {
    await attributed(db, usage, attribution('old', { lineageId: 'l' }), '2026-11-01T00:00:00Z', day('10:00:00'));
    await attributed(db, usage, attribution('new', { lineageId: 'l' }), day('09:00:00'));
    await send(usage, at('08:00:00'), at('09:30:00'), at('10:30:00'));
    expect(await owners()).toEqual(['l reviews/canary requests 3']);
    const flagged = async (): Promise<number> => (await db.run('select 1 from usage_subject where ambiguous')).count;
    expect(await flagged()).toBe(0);
    await attributed(db, usage, attribution('second'), day('10:00:00'));
    await send(usage, at('11:30:00'));
    expect(await owners()).toEqual(['l reviews/canary requests 4']);
    expect(await flagged()).toBe(1);
  });
  test('also when another replica has opened or ended it a moment ago', async () => {
    const replica = usageOn(other);
    await send(replica, { ...at('11:00:01') });
    expect(await owners()).toEqual(['?   requests 1']);
    await attributed(db, usage, attribution('b'));
    await send(replica, { ...at('11:00:02') });
    expect(await owners()).toEqual(['?   requests 1', 'lineage-b reviews/canary requests 1']);
    await db.run('update attribution set valid_to = $1, changed = pg_current_xact_id() where valid_to is null', [day('11:00:02.5')]);
    await send(replica, { ...at('11:00:03') });
    expect(await owners()).toEqual(['?   requests 2', 'lineage-b reviews/canary requests 1']);
  });
  test('also when the transaction that opened it was older than the last look, but committed later', async () => {
    const replica = usageOn(other);
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const opening = db.transaction(async (tx) => {
      await usage.attributionOn(tx).open(attribution('b'));
      await tx.run('update attribution set valid_from = $1', ['2026-01-01T00:00:00Z']);
      await held;
    });
    for (let n = 0; n < 3; n += 1) await send(replica, { ...at(`11:01:0${n}`) });
    go();
    await opening;
    await send(replica, { ...at('11:01:05') });
    expect(await owners()).toEqual(['?   requests 3', 'lineage-b reviews/canary requests 1']);
  });
});

describe('the attribution of a binding', () => {
  const rows = async () =>
    (await db.run<{ plan: string; open: boolean; joined: boolean }>(`select plan_name as plan, valid_to is null as open,
      valid_from = lag(valid_to) over (order by id) as joined from attribution order by id`)).rows; // prettier-ignore
  test('stays when it is opened again, and another plan takes over at the same moment', async () => {
    const store = usage.attributionOn(db);
    await store.open(attribution('b'));
    await store.open(attribution('b'));
    expect(await rows()).toEqual([{ plan: 'canary', open: true, joined: null }]);
    await store.open(attribution('b', { planId: 'p-gold', planName: 'gold' }));
    expect(await rows()).toEqual([
      { plan: 'canary', open: false, joined: null },
      { plan: 'gold', open: true, joined: true },
    ]);
    await store.close(attribution('b').bindingRef);
    await store.close(attribution('b').bindingRef);
    await store.open(attribution('b'));
    expect((await rows()).map(({ open }) => open)).toEqual([false, false, true]);
  });
  test('never overlaps another one of it', async () => {
    await attributed(db, usage, attribution('b'), day('09:00:00'), day('10:00:00'));
    await attributed(db, usage, attribution('c'), day('09:30:00'), day('10:00:00'));
    await expect(attributed(db, usage, attribution('b'), day('09:59:59'))).rejects.toThrow('attribution_of_a_binding_never_overlaps');
  });
  test('can be closed when it was never opened', async () => {
    await usage.attributionOn(db).close('mb-never');
    expect(await rows()).toEqual([]);
  });
});

describe('spans', () => {
  const spans = async () =>
    (await db.run('select meter_id, ref, plan_name as plan, ended_at is null as open from usage_span order by id')).rows;
  test('are opened and ended once, and a new plan ends the old one and starts at the same moment', async () => {
    const store = usage.spansOn(db);
    const instance = { ...attribution('b'), instanceRef: 'mb-instance' };
    for (let n = 0; n < 2; n += 1) {
      await store.openInstance(instance);
      await store.openBinding(attribution('b'));
    }
    await store.openInstance({ ...instance, planId: 'p-gold', planName: 'gold' });
    await store.closeBinding(attribution('b').bindingRef);
    await store.closeBinding(attribution('b').bindingRef);
    expect(await spans()).toEqual([
      { meter_id: 8, ref: 'mb-instance', plan: 'canary', open: false },
      { meter_id: 9, ref: attribution('b').bindingRef, plan: 'canary', open: false },
      { meter_id: 8, ref: 'mb-instance', plan: 'gold', open: true },
    ]);
    const { rows } = await db.run('select max(started_at) = max(ended_at) as joined from usage_span where meter_id = 8');
    expect(rows).toEqual([{ joined: true }]);
  });
});

test('a binding is attributed from now on, and its first request with it', async () => {
  const live = usageOn(db, systemClock);
  await live.attributionOn(db).open(attribution('now', { hosts: [reviewsHost], principal: `${webPrincipal}-now` }));
  await send(live, { time: new Date(Date.now() + 100).toISOString(), data: { principal: `${webPrincipal}-now` } });
  const lines = await totals(usage, {
    groupBy: ['binding', 'meter'],
    from: new Date(Date.now() - 3_600_000),
    to: new Date(Date.now() + 3_600_000),
  });
  expect(lines).toContain('lineage-now requests 1');
});
