import { expect, test } from 'vitest';
import { cell } from './listing.ts';

test('a cell is one line: what Git says in several is joined, and cut when long; ids stay whole', () => {
  expect(cell('git push failed:\n! [remote rejected]\t(hook)\r\n\u0007')).toBe('git push failed: ! [remote rejected] (hook)');
  expect(cell('word '.repeat(100))).toMatch(/^(word ){39}word…$/);
  expect(cell('i'.repeat(255))).toBe('i'.repeat(255));
  expect([cell(null), cell(undefined), cell(''), cell(3)]).toEqual(['-', '-', '-', '3']);
});
