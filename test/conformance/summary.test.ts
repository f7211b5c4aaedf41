import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requirements, unchecked } from './requirements.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts') && name !== 'summary.test.ts');
const claims = files.flatMap((file) => {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return [...text.matchAll(/^check\('([A-Z]+-\d+)'/gm)].map(([, id = '']) => id);
});
const all = Object.keys(requirements);
const reasons = Object.entries(unchecked);

test('every requirement is checked once or has a reason why not', () => {
  expect(claims.filter((id, index) => claims.indexOf(id) !== index)).toEqual([]);
  expect([...claims, ...Object.keys(unchecked)].sort()).toEqual([...all].sort());
  process.stdout.write(
    [
      `conformance: ${claims.length} of ${all.length} checked, ${reasons.length} not checkable here`,
      ...reasons.map(([id, reason]) => `  ${id}: ${reason}`),
      '',
    ].join('\n'),
  );
});
