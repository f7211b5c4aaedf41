import { expect, test } from 'vitest';
import type { ShelfOffering } from '../catalog/offering.ts';
import { warnOfForeignCallers } from './foreign-callers.ts';

const offering = (name: string, existingCallers: readonly string[]): ShelfOffering =>
  ({ offering: { name, mesh: { existingCallers } } }) as unknown as ShelfOffering;

test('a start warns of callers of another trust domain, in one line, and says nothing of those of the mesh', () => {
  const said: unknown[] = [];
  const warn = (facts: object): void => void said.push(facts);
  const logger = { debug: warn, info: warn, warn, error: warn };
  warnOfForeignCallers([offering('a', ['ns/web/sa/a', 'cluster.local/ns/web/sa/b'])], 'cluster.local', logger);
  expect(said).toEqual([]);
  warnOfForeignCallers([offering('a', ['mesh.example.com/ns/web/sa/a'])], 'cluster.local', logger);
  expect(said).toEqual([{ trustDomain: 'cluster.local', count: 1, callers: ['a: mesh.example.com/ns/web/sa/a'] }]);
});
