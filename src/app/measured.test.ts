import { expect, test } from 'vitest';
import type { MeshDriver } from '../mesh/mesh-driver.ts';
import { measured } from './measured.ts';

test('a write and a publication are both measured, and a remote that refuses counts as failed', async () => {
  const driver: MeshDriver = {
    name: 'refusing',
    apply: () => Promise.resolve('applied'),
    read: () => Promise.resolve([]),
    publish: () => Promise.reject(new Error('refused')),
    check: () => Promise.resolve({ ok: true }),
    close: () => Promise.resolve(),
  };
  const seen: unknown[] = [];
  const watched = measured(driver, { meshWritten: (...facts) => void seen.push(facts) });
  await watched.apply({ scope: 's', revision: 1, put: [], remove: [] }, () => Promise.resolve(true));
  await expect(watched.publish({ operationId: 'op-1', subject: 'one' })).rejects.toThrow('refused');
  expect(seen).toEqual([
    ['refusing', 'apply', 'succeeded', expect.any(Number)],
    ['refusing', 'publish', 'failed', expect.any(Number)],
  ]);
});
