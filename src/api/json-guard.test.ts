import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokerError } from '../kernel/errors.ts';
import { parseJson, smallBody } from './json-guard.ts';

const parse = (text: string | Uint8Array): unknown => parseJson(typeof text === 'string' ? Buffer.from(text) : text, smallBody);
function refusal(text: string | Uint8Array): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'bad-request') return error.message;
    throw error;
  }
  throw new Error(`taken: ${text.toString().slice(0, 80)}`);
}

describe('the JSON guard', () => {
  test('takes every JSON value and reads it as JSON.parse does', () => {
    const harmless = fc
      .json({ maxDepth: 8, stringUnit: 'grapheme' })
      .filter((text) => !/__proto__|constructor|prototype|\\u0000|[eE][+]?\d{3}/.test(text));
    fc.assert(
      fc.property(harmless, (text) => {
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test('never takes what JSON.parse refuses, and never fails otherwise', () => {
    const noise = fc.stringMatching(/^[[\]{}":,\\u0-9eE+\-.truefalsn d8]{0,60}$/);
    fc.assert(
      fc.property(noise, (text) => {
        let value: unknown;
        try {
          value = parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
          return;
        }
        expect(value).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, string, RegExp]>([
    [
      '6,000 levels',
      '{"parameters":' + '['.repeat(6_000) + ']'.repeat(6_000) + '}',
      /^parameters\.0\.0\.0\.…\.0\.0 is nested deeper than 32 levels: flatten it$/,
    ],
    [
      '1,001 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, 1]))),
      /^k1000 is one key too many/,
    ],
    ['a key twice', '{"a":{"b":1,"b":2}}', /^a\.b is there twice: send each key once$/],
    ['a key of 5,000 characters twice', `{"${'k'.repeat(5_000)}":1,"${'k'.repeat(5_000)}":2}`, /^k{39}… is there twice/],
    ['a fault that is deep', '{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"\\ud800"}}}}}}}}', /^a\.b\.c\.d\.…\.g\.h holds half/],
    ['a key twice, once escaped', '{"ab":1,"a\\u0062":2}', /^ab is there twice/],
    ['__proto__', '{"context":{"__proto__":{"x":1}}}', /^context\.__proto__ has a name that is not allowed: rename it$/],
    ['constructor, escaped', '{"c\\u006fnstructor":1}', /^constructor has a name/],
    ['prototype in an array', '[{"prototype":1}]', /^0\.prototype has a name/],
    ['NUL', '{"parameters":{"name":"a\\u0000b"}}', /^parameters\.name holds the character \\u0000: remove it$/],
    ['a lone high surrogate', '{"a":"\\ud800"}', /^a holds half of a surrogate pair/],
    ['a lone low surrogate', '{"a":"\\udc00"}', /^a holds half of a surrogate pair/],
    ['a high surrogate before text', '{"a":"\\ud800x"}', /^a holds half of a surrogate pair/],
    ['two high surrogates', '{"a":"\\ud800\\ud800"}', /^a holds half of a surrogate pair/],
    ['a number of 400 digits', `{"a":${'9'.repeat(400)}}`, /^a has a number of 400 characters/],
    ['a number that overflows', '{"a":[1e400]}', /^a\.0 has a number that is too large/],
    ['a raw control character', '{"a":"\u0001"}', /not JSON: control characters in strings must be escaped at line 1, column 7 \(in a\)/],
    ['nothing', '', /^the body is empty: send JSON$/],
    ['white space only', ' \n', /^the body is empty/],
    ['half an object', '{', /^the body is not JSON: a key in double quotes is expected at line 1, column 2$/],
    ['a trailing comma', '{"a":1,}', /not JSON: a key in double quotes is expected/],
    ['two values', '{} {}', /nothing may follow the JSON value/],
    ['a leading zero', '{"a":01}', /a comma or \} is expected at line 1, column 7 \(in a\)|a comma or \} is expected/],
    ['an unknown word', '{"a":nil}', /a JSON value is expected/],
    ['a bad escape', '{"a":"\\x"}', /an unknown escape/],
    ['an unfinished string', '{"a":"b', /ends inside a string/],
  ])('refuses %s with the field and the fix', (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toBe('the body is not UTF-8: send it in that encoding');
  });

  test('takes a pair of surrogates, -0 and 64 digits', () => {
    expect(parse('{"a":"\\ud83d\\ude00","b":-0,"c":' + '1'.repeat(64) + '}')).toEqual({ a: '😀', b: -0, c: Number('1'.repeat(64)) });
  });

  test('reads 8 MiB of events in less than a second', () => {
    const event = JSON.stringify({
      specversion: '1.0',
      id: 'x'.repeat(36),
      source: '/mesh/web',
      type: 'request',
      time: '2026-11-01T00:00:00Z',
      data: { bytes: 123, code: 200, path: '/'.repeat(300) },
    });
    const batch = Buffer.from(`[${Array.from({ length: 10_000 }, () => event).join(',')}]`);
    const started = performance.now();
    expect(parseJson(batch, { maxDepth: 32, maxKeys: 400_000 })).toHaveLength(10_000);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
