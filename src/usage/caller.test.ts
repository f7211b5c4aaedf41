import { describe, expect, test } from 'vitest';
import { bindingIn, hostOf, principalOf } from './caller.ts';

const ref = 'mb-abcdefghijklmnopqrst';
describe('the binding that let a request in', () => {
  test.each([
    ['a verdict', `${ref}.gold`, ref],
    ['an authorization policy', `ns[shop]-policy[${ref}]-rule[0]`, ref],
    ['a reference alone', ref, ref],
    ["somebody else's policy", 'ns[bookinfo]-policy[ratings-default-deny]-rule[0]', ''],
    ['a longer word', `${ref}xyz`, ''],
    ['a word that contains it', `web-${ref}`, ''],
    ['nothing', '', ''],
  ])('is named by %s', (_, policy, binding) => {
    expect(bindingIn(policy)).toBe(binding);
  });
});
test.each([
  ['reviews.bookinfo.svc.cluster.local:9080', 'reviews.bookinfo.svc.cluster.local'],
  ['Reviews.Bookinfo.svc.', 'reviews.bookinfo.svc'],
  ['reviews', 'reviews'],
  ['', ''],
  ['<script>', ''],
  ['a b', ''],
  ['x'.repeat(300), ''],
])('of the authority %s the host is %s', (authority, host) => {
  expect(hostOf(authority)).toBe(host);
});
test.each([
  ['spiffe://mesh.example.com/ns/web/sa/web', 'spiffe://mesh.example.com/ns/web/sa/web'],
  ['mesh.example.com/ns/web/sa/web', 'spiffe://mesh.example.com/ns/web/sa/web'],
  ['', ''],
  ['-', ''],
  ['a b', undefined],
  ['a\u0000', undefined],
  ['\ud800', undefined],
  ['x'.repeat(2_049), undefined],
])('the principal of %j is %j', (text, principal) => {
  expect(principalOf(text)).toBe(principal);
});
