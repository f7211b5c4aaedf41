import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayMs, hourMs } from './event-time.ts';
import { coverWindow, zonedTime } from './report-windows.ts';

const shown = (from: string, to: string): string[] =>
  coverWindow(0, Date.parse(from), Date.parse(to)).map(
    (piece) => `${piece.kind} ${new Date(piece.from).toISOString()} ${(piece.to - piece.from) / 60_000}`,
  );

describe('a window is covered', () => {
  test('by days where it is whole days of UTC', () => {
    expect(shown('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z')).toEqual(['day 2026-11-01T00:00:00.000Z 43200']);
  });
  test('by hours at the edges in a zone of whole hours', () => {
    expect(shown('2026-10-31T23:00:00Z', '2026-11-02T23:00:00Z')).toEqual([
      'hour 2026-10-31T23:00:00.000Z 60',
      'day 2026-11-01T00:00:00.000Z 1440',
      'hour 2026-11-02T00:00:00.000Z 1380',
    ]);
  });
  test('by events where an hour is cut', () => {
    expect(shown('2026-11-01T18:30:00Z', '2026-11-02T18:30:00Z')).toEqual([
      'event 2026-11-01T18:30:00.000Z 30',
      'hour 2026-11-01T19:00:00.000Z 1380',
      'event 2026-11-02T18:00:00.000Z 30',
    ]);
    expect(shown('2026-11-01T18:10:00Z', '2026-11-01T18:20:00Z')).toEqual(['event 2026-11-01T18:10:00.000Z 10']);
  });
  test('exactly, without gap or overlap, whatever it is', () => {
    const moment = fc.integer({ min: Date.parse('2026-10-01T00:00:00Z'), max: Date.parse('2026-12-01T00:00:00Z') });
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const pieces = coverWindow(3, from, to);
        let at = from;
        for (const piece of pieces) {
          expect([piece.window, piece.from]).toEqual([3, at]);
          expect(piece.to).toBeGreaterThan(piece.from);
          const unit = { day: dayMs, hour: hourMs, event: 1 }[piece.kind];
          expect([piece.from % unit, piece.to % unit]).toEqual([0, 0]);
          at = piece.to;
        }
        expect(at).toBe(to);
        expect(pieces.length).toBeLessThanOrEqual(5);
      }),
    );
  });
});
test.each([
  ['2026-11-01T00:00:00Z', '2026-11-01T00:00:00', '2026-11-01T00:00:00Z'],
  ['2026-10-31T23:00:00Z', '2026-11-01T00:00:00', '2026-11-01T00:00:00+01:00'],
  ['2026-11-01T18:30:00Z', '2026-11-02T00:00:00', '2026-11-02T00:00:00+05:30'],
  ['2026-11-01T03:30:00Z', '2026-11-01T00:00:00', '2026-11-01T00:00:00-03:30'],
  ['2026-10-31T18:30:00.125Z', '2026-11-01T00:00:00', '2026-11-01T00:00:00.125+05:30'],
])('%s is shown as %s of its zone', (moment, local, shownAs) => {
  expect(zonedTime(new Date(moment), local)).toBe(shownAs);
});
