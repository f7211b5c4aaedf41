import { describe, expect, test } from 'vitest';
import type { LiveAuthority } from './authority.ts';
import { longestLeafSeconds, nextAuthority } from './authority.ts';

const day = 86_400;
const lives = { rootSeconds: 3650 * day, intermediateSeconds: 90 * day };
const dayOf = (days: number): Date => new Date(days * day * 1000);
const authority = (kind: 'root' | 'intermediate', id: string, from: number, to: number, active = true): LiveAuthority => ({
  id, kind, active, trustDomain: 'bindings.example.com', certificate: Buffer.alloc(0), wrappedKey: Buffer.alloc(0),
  issuerId: kind === 'root' ? null : 'r1', notBefore: dayOf(from), notAfter: dayOf(to),
}); // prettier-ignore
const r1 = authority('root', 'r1', 0, 3650);
const i1 = authority('intermediate', 'i1', 0, 90);

describe('the authorities', () => {
  test('begin with a root, then an intermediate, then nothing is to be made', () => {
    expect(nextAuthority([], dayOf(0), lives)).toEqual({ kind: 'root', predecessorId: null });
    expect(nextAuthority([r1], dayOf(0), lives)).toEqual({ kind: 'intermediate', predecessorId: null, root: r1 });
    expect(nextAuthority([r1, i1], dayOf(0), lives)).toEqual({ kind: 'nothing', issuing: i1 });
  });
  test('make the intermediate anew ahead of half of its life, so that half of it always fits', () => {
    expect(nextAuthority([r1, i1], dayOf(35.9), lives).kind).toBe('nothing');
    expect(nextAuthority([r1, i1], dayOf(36), lives)).toEqual({ kind: 'intermediate', predecessorId: 'i1', root: r1 });
    expect(longestLeafSeconds(i1, dayOf(36))).toBe(45 * day);
  });
  test('make it anew at once when a longer life is set, and in its own time when a shorter one is', () => {
    expect(nextAuthority([r1, i1], dayOf(1), { ...lives, intermediateSeconds: 120 * day }).kind).toBe('intermediate');
    expect(nextAuthority([r1, i1], dayOf(1), { ...lives, intermediateSeconds: 30 * day }).kind).toBe('nothing');
  });
  test('publish a new root three intermediate lives ahead, and sign with it only in the last of them', () => {
    const fresh = authority('intermediate', 'i9', 3380, 3470);
    expect(nextAuthority([r1, fresh], dayOf(3381), lives)).toEqual({ kind: 'root', predecessorId: 'r1' });
    const old = { ...r1, active: false };
    const r2 = authority('root', 'r2', 3381, 7031);
    expect(nextAuthority([old, r2, fresh], dayOf(3382), lives).kind).toBe('nothing');
    expect(nextAuthority([old, r2, fresh], dayOf(3450), lives)).toMatchObject({ kind: 'intermediate', root: { id: 'r1' } });
    expect(nextAuthority([old, r2, fresh], dayOf(3561), lives)).toMatchObject({ kind: 'intermediate', root: { id: 'r2' } });
  });
  test('hold for a hundred years: the issuing one always has half of its life left and every leaf a trusted root', () => {
    let made: LiveAuthority[] = [];
    for (let today = 0; today < 36_500; today += 1) {
      const now = dayOf(today);
      made = made.filter(({ notAfter }) => notAfter > now);
      for (let step = nextAuthority(made, now, lives); step.kind !== 'nothing'; step = nextAuthority(made, now, lives)) {
        const kind = step.kind;
        const issuerId = step.kind === 'root' ? null : step.root.id;
        made = made.map((other) => (other.kind === kind ? { ...other, active: false } : other));
        made.push({ ...authority(kind, `${kind} ${today}`, today, today + (kind === 'root' ? 3650 : 90)), issuerId });
      }
      const step = nextAuthority(made, now, lives);
      if (step.kind !== 'nothing') throw new Error('at rest');
      expect(longestLeafSeconds(step.issuing, now)).toBe(45 * day);
      const root = made.find(({ id }) => id === step.issuing.issuerId);
      expect(root?.notAfter.getTime()).toBeGreaterThanOrEqual(step.issuing.notAfter.getTime());
      expect(made.length).toBeLessThan(8);
    }
  });
});
