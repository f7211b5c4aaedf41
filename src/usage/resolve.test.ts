import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttributionLine } from './resolve.ts';
import { graceMs, resolve } from './resolve.ts';

const line = (id: number, from: number, to: number, changes: Partial<AttributionLine> = {}): AttributionLine => ({
  id,
  bindingRef: `mb-${String(id).padStart(20, 'a')}`,
  lineageId: `l-${id}`,
  principal: 'spiffe://mesh.example.com/ns/web/sa/web',
  hosts: ['reviews.bookinfo.svc.cluster.local'],
  from,
  to,
  ...changes,
});
const caller = { principal: 'spiffe://mesh.example.com/ns/web/sa/web', bindingRef: '', host: 'reviews.bookinfo.svc.cluster.local' };
const open = Number.POSITIVE_INFINITY;
const owner = (time: number, named: readonly AttributionLine[], own: readonly AttributionLine[], host = caller.host) => {
  const { attributionId, ambiguous } = resolve({ ...caller, host }, time, named, own);
  return ambiguous ? `${attributionId}, ambiguous` : attributionId;
};

describe('usage belongs', () => {
  test('to the binding that the policy names, whatever else the caller has', () => {
    expect(owner(150, [line(2, 100, open)], [line(1, 0, open), line(2, 100, open)])).toBe(2);
  });
  test('to the plan that the binding had at that time', () => {
    const lives = [line(1, 100, 200), line(2, 200, open, { bindingRef: line(1, 0, 0).bindingRef })];
    expect([150, 199, 200, 900].map((time) => owner(time, lives, []))).toEqual([1, 1, 2, 2]);
  });
  test('to a named binding also a little before and after its life, because clocks and proxies are late', () => {
    const named = [line(1, 1_000_000, 2_000_000)];
    const at = [1_000_000 - graceMs - 1, 1_000_000 - graceMs, 2_000_000, 2_000_000 + graceMs - 1, 2_000_000 + graceMs];
    expect(at.map((time) => owner(time, named, []))).toEqual([0, 1, 1, 1, 0]);
  });
  test('to the only live lineage of the principal to the host', () => {
    expect(owner(150, [], [line(1, 0, 100), line(2, 100, open)])).toBe(2);
    expect(owner(150, [], [line(1, 100, 150)])).toBe(0);
    expect(owner(150, [], [line(1, 0, open, { hosts: ['ratings.bookinfo.svc.cluster.local'] })])).toBe(0);
  });
  test('to the one lineage that a rotation goes through, without doubt', () => {
    expect(owner(150, [], [line(1, 0, 200, { lineageId: 'l' }), line(2, 100, open, { lineageId: 'l' })])).toBe(1);
  });
  test('to the oldest of several lineages, flagged', () => {
    expect(owner(150, [], [line(2, 100, open), line(1, 50, open)])).toBe('1, ambiguous');
  });
  test.each(['reviews', 'reviews.bookinfo', 'reviews.bookinfo.svc', `${line(1, 0, 0).bindingRef}.apps.example.com`])(
    'to the service behind the host %s',
    (host) => {
      expect(owner(150, [], [line(1, 0, open)], host)).toBe(1);
    },
  );
  test.each(['', 'review', 'reviews.other', 'bookinfo.svc.cluster.local'])('to nobody for the host %j', (host) => {
    expect(owner(150, [], [line(1, 0, open)], host)).toBe(0);
  });
});

test('an answer holds for the whole span that it names', () => {
  // start, length (none: open), lineage; a binding's own lives never overlap
  const lives = fc.array(fc.tuple(fc.nat(40), fc.option(fc.nat(40)), fc.nat(2)), { maxLength: 4 });
  const unit = graceMs / 4;
  const lines = (of: readonly (readonly [number, number | null, number])[]): AttributionLine[] =>
    of.map(([from, length, lineage], id) =>
      line(id + 1, from * unit, length === null ? open : (from + length) * unit, { lineageId: `l-${lineage}` }),
    );
  const oneAfterAnother = (of: readonly (readonly [number, number | null, number])[]): AttributionLine[] => {
    let at = 0;
    return of.map(([pause, length], id) => {
      const from = at + pause * unit;
      at = from + (length ?? 7) * unit;
      return line(id + 1, from, length === null && id === of.length - 1 ? open : at, { bindingRef: 'mb-aaaaaaaaaaaaaaaaaaaa' });
    });
  };
  fc.assert(
    fc.property(lives, lives, fc.nat(120), fc.double({ min: 0, max: 0.999, noNaN: true }), (named, own, time, part) => {
      const first = resolve(caller, time * unit, oneAfterAnother(named), lines(own));
      const from = Math.max(0, first.from);
      const until = Math.min(200 * unit, first.until);
      expect(time * unit).toBeGreaterThanOrEqual(from);
      expect(time * unit).toBeLessThan(first.until);
      const other = resolve(caller, Math.floor(from + (until - from) * part), oneAfterAnother(named), lines(own));
      expect([other.attributionId, other.ambiguous]).toEqual([first.attributionId, first.ambiguous]);
    }),
    { numRuns: 3_000 },
  );
});
