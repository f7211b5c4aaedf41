import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sumUp } from './cells.ts';
import { hourMs } from './event-time.ts';

const row = fc.record({
  time: fc.integer({ min: 0, max: 3 * hourMs - 1 }),
  quantity: fc.oneof(fc.nat(5), fc.constant(Number.MAX_SAFE_INTEGER)),
  requestBytes: fc.nat(100),
  responseBytes: fc.oneof(fc.nat(100), fc.constant(Number.MAX_SAFE_INTEGER - 1)),
  dedup: fc.constant(''),
  sourceId: fc.constant(1),
  subjectId: fc.oneof(fc.nat(2), fc.constant(2 ** 31 - 1)),
  content: fc.constant(0),
  meterId: fc.nat(2),
});
test('the sums of a batch by hour, subject and meter are exact, also beyond the safe integers', () => {
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const wanted = new Map<string, bigint>();
      const add = (to: Map<string, bigint>, key: string, value: number): unknown => to.set(key, (to.get(key) ?? 0n) + BigInt(value));
      for (const { time, subjectId, meterId, quantity, requestBytes, responseBytes } of rows) {
        const key = `${Math.floor(time / hourMs) * hourMs} ${subjectId} ${meterId}`;
        add(wanted, `${key} quantity`, quantity);
        add(wanted, `${key} request`, requestBytes);
        add(wanted, `${key} response`, responseBytes);
      }
      const cells = sumUp(rows);
      const found = new Map<string, bigint>();
      cells.hours.forEach((hour, place) => {
        const key = `${hour} ${cells.subjects[place] ?? -1} ${cells.meters[place] ?? -1}`;
        add(found, `${key} quantity`, cells.quantities[place] ?? -1);
        add(found, `${key} request`, cells.requestBytes[place] ?? -1);
        add(found, `${key} response`, cells.responseBytes[place] ?? -1);
      });
      expect(found).toEqual(wanted);
    }),
  );
});
