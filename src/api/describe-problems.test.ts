import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { describeProblems } from './describe-problems.ts';

const ajv = new Ajv({ allErrors: true });
function told(schema: object, body: unknown): string {
  const isValid = ajv.compile({ type: 'object', properties: { requestBody: schema } });
  isValid({ requestBody: body });
  return describeProblems(isValid.errors ?? []);
}

test('a refusal names the field and the fix', () => {
  expect(told({ type: 'object', required: ['name'] }, {})).toBe('name (body) is missing: send it');
  expect(told({ additionalProperties: false }, { nmae: 1 })).toBe('the body: remove "nmae", which is not known here');
});
test('names of thousands of characters are cut', () => {
  const name = 'k'.repeat(4_000);
  expect(told({ additionalProperties: false }, { [name]: 1 })).toBe(`the body: remove "${'k'.repeat(39)}…", which is not known here`);
  expect(told({ additionalProperties: { type: 'string' } }, { [name]: 1 })).toBe(`${'k'.repeat(39)}… (body) must be a string`);
});
