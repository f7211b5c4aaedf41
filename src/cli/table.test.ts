import { expect, test } from 'vitest';
import { table, wrapped } from './table.ts';

test('a table has its columns below each other, and pads nothing at the end', () => {
  expect(table(['name', 'state'], [['a', 'live'], ['longer', '']])).toBe('NAME    STATE\na       live\nlonger'); // prettier-ignore
  expect(table(['name', 'state'], [])).toBe('NAME  STATE');
});
test('numbers stand below each other by their points, their head above them', () => {
  expect(table(['meter', 'total', 'unit'], [['a', '7', 'x'], ['b', '1200.25', 'y'], ['c', '0.5', 'z']]).split('\n')).toEqual([
    'METER    TOTAL  UNIT',
    'a         7     x',
    'b      1200.25  y',
    'c         0.5   z',
  ]); // prettier-ignore
  expect(
    table(
      ['n', 'attempts'],
      [
        ['a', '2'],
        ['b', '10'],
      ],
    ),
  ).toBe('N  ATTEMPTS\na         2\nb        10');
});
test('a column with a word among its numbers is text', () => {
  expect(
    table(
      ['n', 'of'],
      [
        ['1', 'a'],
        ['-', 'b'],
      ],
    ),
  ).toBe('N  OF\n1  a\n-  b');
});
test('text is broken at spaces', () => {
  expect(wrapped('one two three', 8, '  ')).toBe('  one two\n  three');
});
