import { describe, expect, test } from 'vitest';
import { whyNotRe2 } from './re2.ts';

describe('expressions for Envoy', () => {
  test.each([
    'jason|test-[a-z]+',
    '(?i)^v[0-9]{1,3}$',
    '[[:alpha:]]+',
    '(?:a|b)*?',
    '(?P<name>x)',
    '\\d+\\.\\w+',
    '[]a]',
    '[^]]',
    'a{2,}',
    '\\pL',
    '\\x{1F600}',
  ])('%s is taken', (pattern) => expect(whyNotRe2(pattern)).toBeUndefined());
  test.each([
    ['(?=a)b', 'look-ahead'],
    ['(?<!a)b', 'look-behind'],
    ['(a)\\1', 'back-references'],
    ['(?>a)', 'atomic'],
    ['a++', 'possessive'],
    ['a**', 'doubled'],
    ['*a', 'repeats nothing'],
    ['a|+', 'repeats nothing'],
    ['(a', 'not closed'],
    ['a)', 'has no'],
    ['[a-', 'not closed'],
    ['a{1001}', 'at most 1000'],
    ['a{3,2}', 'backwards'],
    ['[z-a]', 'backwards'],
    ['\\y', 'does not know the escape'],
    ['(?#c)', 'does not know this kind'],
    ['[\\y]', 'does not know the escape'],
  ])('%s is refused: %s', (pattern, why) => expect(whyNotRe2(pattern)).toContain(why));
});
