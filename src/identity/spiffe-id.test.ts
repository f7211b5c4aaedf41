import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adoptedId, bindingId, formatSpiffeId, parseSpiffeId, principalOf, readSpiffeId } from './spiffe-id.ts';

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
const trustDomain = fc.stringMatching(/^[a-z0-9._-]{1,30}$/);

describe('a SPIFFE ID', () => {
  test.each([
    '',
    'spiffe://',
    'spiffe:///a',
    'Spiffe://a/b',
    'SPIFFE://a/b',
    'spiffe:/a/b',
    'http://a/b',
    'spiffe://A/b',
    'spiffe://a/',
    'spiffe://a//b',
    'spiffe://a/b/',
    'spiffe://a/.',
    'spiffe://a/..',
    'spiffe://a/b/../c',
    'spiffe://a:8443/b',
    'spiffe://u@a/b',
    'spiffe://u:p@a/b',
    'spiffe://a/b?c',
    'spiffe://a/b#c',
    'spiffe://a/%2f',
    'spiffe://a/b%2fc',
    'spiffe://a/b c',
    'spiffe://a/b\tc',
    'spiffe://a/b\nc',
    'spiffe://a/b\n',
    '\nspiffe://a/b',
    'spiffe://a\n/b',
    'spiffe://а/b',
    'spiffe://a/ѕа',
    'spiffe://a/ns*',
    'spiffe://[::1]/b',
    'spiffe://a\\b',
    'spiffe://a/b\\c',
    'spiffe://a/b\u0000',
    'spiffe://a/\u212a',
    `spiffe://${'a'.repeat(256)}/b`,
    `spiffe://a/${'b'.repeat(2048)}`,
  ])('is refused when it reads %j', (text) => {
    // prettier-ignore
    expect(readSpiffeId(text)).toBeUndefined();
    expect(() => parseSpiffeId(text)).toThrow(/spiffe_id is not a SPIFFE ID/);
  });
  test.each([
    'spiffe://a',
    'spiffe://a/b',
    'spiffe://mesh.example.com/ns/web/sa/frontend',
    'spiffe://a_b-c.d/X/y_z/...',
    `spiffe://a/${'b'.repeat(2037)}`,
  ])('is taken when it reads %j', (text) => {
    const id = parseSpiffeId(text);
    expect(formatSpiffeId(id.trustDomain, id.path)).toBe(text);
  });
  test('has one spelling: whatever is read is written back to the byte', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }).map((s) => `spiffe://${s}`),
          fc.stringMatching(/^spiffe:\/\/[a-z./%:A-Z]{1,12}$/),
        ),
        (text) => {
          const id = readSpiffeId(text);
          return id === undefined || formatSpiffeId(id.trustDomain, id.path) === text;
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe('the identities of consumers', () => {
  test('have the shape that Istio reads', () => {
    expect(adoptedId('mesh.example.com', 'web', 'frontend')).toBe('spiffe://mesh.example.com/ns/web/sa/frontend');
    expect(principalOf(bindingId('bindings.example.com', 'cf-acme', 'mb-abc'))).toBe('bindings.example.com/ns/cf-acme/sa/mb-abc');
  });
  test('are never shared by two consumers', () => {
    const tuple = fc.tuple(trustDomain, name, name);
    fc.assert(
      fc.property(tuple, tuple, (a, b) => JSON.stringify(a) === JSON.stringify(b) || adoptedId(...a) !== adoptedId(...b)),
      { numRuns: 5_000 },
    );
  });
  test('can be taken apart again: the ID says which consumer it is', () => {
    fc.assert(
      fc.property(trustDomain, name, name, (domain, namespace, serviceAccount) => {
        expect(parseSpiffeId(adoptedId(domain, namespace, serviceAccount))).toEqual({
          trustDomain: domain,
          path: ['ns', namespace, 'sa', serviceAccount],
        });
      }),
      { numRuns: 5_000 },
    );
  });
  test('are refused or map to themselves, whatever text a consumer sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (namespace, serviceAccount) => {
        let id: string;
        try {
          id = adoptedId('mesh.example.com', namespace, serviceAccount);
        } catch {
          return true;
        }
        return id === `spiffe://mesh.example.com/ns/${namespace}/sa/${serviceAccount}` && parseSpiffeId(id).path.length === 4;
      }),
      { numRuns: 5_000 },
    );
  });
  test.each([
    ['web/sa/x', 'y'],
    ['..', 'y'],
    ['', 'y'],
    ['web', 'y*'],
    ['web', 'Y'],
    ['web', 'y%2f'],
    ['web\n', 'y'],
    ['-web', 'y'],
    ['web.', 'y'],
    ['web', 'a'.repeat(254)],
  ])('refuse %j, %j and say which part is wrong', (namespace, serviceAccount) => {
    // prettier-ignore
    expect(() => adoptedId('mesh.example.com', namespace, serviceAccount)).toThrow(/(namespace|service_account) must be a Kubernetes name/);
  });
});
