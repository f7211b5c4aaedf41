import { expect, test } from 'vitest';
import { didYouMean } from './did-you-mean.ts';

test.each([
  ['naem', 'name'],
  ['serviceAccount', 'service_account'],
  ['grant-form', 'grant_form'],
  ['hots', 'hosts'],
  ['wieght', 'weight'],
  ['zzzzzz', undefined],
  ['x'.repeat(1_000), undefined],
])('%s means %s', (word, meant) => {
  expect(didYouMean(word, ['name', 'service_account', 'grant_form', 'hosts', 'weight', 'ports'])).toBe(meant);
});
