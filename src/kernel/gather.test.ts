import { describe, expect, it } from 'vitest';
import { BrokerError } from './errors.ts';
import { gather } from './gather.ts';

const limits = { atOnce: 1, most: 3 };
describe('gather', () => {
  it('makes one call of what waits together and answers each its own', async () => {
    const calls: number[][] = [];
    const double = gather(async (items: readonly number[]) => {
      calls.push([...items]);
      return Promise.resolve(items.map((item) => item * 2));
    }, limits);
    expect(await Promise.all([1, 2, 3, 4].map(double))).toEqual([2, 4, 6, 8]);
    expect(calls).toEqual([[1, 2, 3], [4]]);
  });
  it('runs each item alone when their call failed, so that only the culprit fails', async () => {
    const run = gather(
      (items: readonly number[]) => (items.includes(2) ? Promise.reject(new Error('2 is odd')) : Promise.resolve(items)),
      limits,
    );
    const results = await Promise.allSettled([1, 2, 3].map(run));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
  it('tries nothing again when the other side is away', async () => {
    let calls = 0;
    const run = gather(() => {
      calls += 1;
      return Promise.reject(new BrokerError('unavailable', 'the database does not answer'));
    }, limits);
    const results = await Promise.allSettled([1, 2, 3].map(run));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(calls).toBe(1);
  });
  it('never has more calls under way than it may, and goes on after a failure', async () => {
    let now = 0;
    let highest = 0;
    const run = gather(
      async (items: readonly number[]) => {
        now += 1;
        highest = Math.max(highest, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        if (items.includes(1)) throw new Error('no');
        return items;
      },
      { atOnce: 2, most: 1 },
    );
    const results = await Promise.allSettled([1, 2, 3, 4, 5].map(run));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(highest).toBe(2);
  });
});
