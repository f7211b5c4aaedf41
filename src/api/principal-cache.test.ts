import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PrincipalCache } from './principal-cache.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const found = (name: string) => ({ principal: { kind: 'platform', platformId: name, name, mayBindFor: [] }, expiresInMs: null }) as const;

test.each([undefined, {}])('a credential is known for a while, and again once it was put again (connection %o)', (connection) => {
  const cache = new PrincipalCache({ entries: 10, ttlMs: 10_000 });
  const name = (): string | undefined => cache.get('Basic a', connection)?.name;
  expect(name()).toBeUndefined();
  cache.put('Basic a', found('a'), cache.generation);
  expect([name(), name()]).toEqual(['a', 'a']);
  expect(cache.get('Basic b', connection)).toBeUndefined();
  vi.advanceTimersByTime(10_001);
  expect(name()).toBeUndefined();
  cache.put('Basic a', found('renamed'), cache.generation);
  expect([name(), name()]).toEqual(['renamed', 'renamed']);
});
test.each([undefined, {}])(
  'a change of access empties it at once, and what was looked up before is not kept (connection %o)',
  (connection) => {
    const cache = new PrincipalCache();
    const { generation } = cache;
    cache.put('Basic a', found('a'), generation);
    expect(cache.get('Basic a', connection)?.name).toBe('a');
    cache.flush();
    expect(cache.get('Basic a', connection)).toBeUndefined();
    cache.put('Basic a', found('a'), generation);
    expect(cache.get('Basic a', connection)).toBeUndefined();
  },
);
