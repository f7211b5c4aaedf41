import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBasic, parseBearer } from './authorization-header.ts';

const basic = (text: string | Buffer): string => `Basic ${Buffer.from(text as string).toString('base64')}`;

describe('the Authorization header', () => {
  test('is split at the first colon, so that a password may hold colons', () => {
    expect(parseBasic(basic('user:a:b'))).toEqual({ userName: 'user', password: 'a:b' });
  });
  test('is read as UTF-8, its scheme without regard to case', () => {
    expect(parseBasic(basic('jürgen:päss').replace('Basic', 'bAsIc'))).toEqual({ userName: 'jürgen', password: 'päss' });
  });
  test('gives back every name and password', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes(':') && !text.includes('\0'));
    const password = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(name, password, (userName, secret) => {
        expect(parseBasic(basic(`${userName}:${secret}`))).toEqual({ userName, password: secret });
      }),
    );
  });
  test.each([
    ['no base64', 'Basic !!!'],
    ['nothing', 'Basic '],
    ['no colon', basic('user')],
    ['no name', basic(':password')],
    ['bytes that are not UTF-8', `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`],
    ['NUL', basic('user:\0')],
    ['two values', `${basic('a:b')}, ${basic('c:d')}`],
    ['more than 4 KiB', basic(`user:${'x'.repeat(5_000)}`)],
    ['a bearer token', 'Bearer abc'],
  ])('is refused with %s', (_, header) => {
    expect(parseBasic(header)).toBeUndefined();
  });
  test('carries a bearer token', () => {
    expect(parseBearer('Bearer mba_abc-DEF_123')).toBe('mba_abc-DEF_123');
    expect(parseBearer('Bearer a b')).toBeUndefined();
    expect(parseBearer(`Bearer ${'x'.repeat(5_000)}`)).toBeUndefined();
    expect(parseBearer(basic('a:b'))).toBeUndefined();
  });
  test('of any text is read without failing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseBasic(text);
        parseBearer(text);
      }),
    );
  });
});
