import { describe, expect, test } from 'vitest';
import { IngestQueue } from './ingest-queue.ts';

function setup(limits: { atOnce: number; batch: number }) {
  const batches: string[] = [];
  const release: (() => void)[] = [];
  const queue = new IngestQueue<number, string>(async (sender, items) => {
    batches.push(`${sender}:${items.join(',')}`);
    await new Promise<void>((resolve) => release.push(resolve));
    if (items.includes(13)) throw new Error('bad luck');
    return items.map((item) => `${sender}${item}`);
  }, limits);
  const next = async (): Promise<void> => {
    release.shift()?.();
    await new Promise((resolve) => void setImmediate(resolve));
  };
  return { batches, queue, next };
}
describe('requests that wait', () => {
  test('are stored together, each with its own outcomes', async () => {
    const { batches, queue, next } = setup({ atOnce: 1, batch: 10 });
    const answers = Promise.all([queue.add('a', [1]), queue.add('a', [2, 3]), queue.add('a', []), queue.add('a', [4])]);
    await next();
    await next();
    expect(await answers).toEqual([['a1'], ['a2', 'a3'], [], ['a4']]);
    expect(batches).toEqual(['a:1', 'a:2,3,4']);
  });
  test('of different senders are not mixed, and the longest waiting goes first', async () => {
    const { batches, queue, next } = setup({ atOnce: 1, batch: 10 });
    const answers = Promise.all([queue.add('a', [1]), queue.add('b', [2]), queue.add('a', [3]), queue.add('b', [4])]);
    for (let turn = 0; turn < 3; turn += 1) await next();
    await answers;
    expect(batches).toEqual(['a:1', 'b:2,4', 'a:3']);
  });
  test('make batches of limited size; a larger request stays whole', async () => {
    const { batches, queue, next } = setup({ atOnce: 1, batch: 3 });
    const answers = Promise.all([queue.add('a', [0]), queue.add('a', [1, 2]), queue.add('a', [3, 4]), queue.add('a', [5, 6, 7, 8])]);
    for (let turn = 0; turn < 4; turn += 1) await next();
    await answers;
    expect(batches).toEqual(['a:0', 'a:1,2', 'a:3,4', 'a:5,6,7,8']);
  });
  test('run at most so many at once', async () => {
    const { batches, queue, next } = setup({ atOnce: 2, batch: 1 });
    const answers = Promise.all([1, 2, 3].map((item) => queue.add('a', [item])));
    expect(batches).toEqual(['a:1', 'a:2']);
    for (let turn = 0; turn < 3; turn += 1) await next();
    await answers;
    expect(batches).toEqual(['a:1', 'a:2', 'a:3']);
  });
  test('are all told when their batch fails, and the next ones go on', async () => {
    const { queue, next } = setup({ atOnce: 1, batch: 10 });
    const answers = Promise.allSettled([queue.add('a', [1]), queue.add('a', [13]), queue.add('a', [2])]);
    await next();
    await next();
    expect((await answers).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    const again = queue.add('a', [5]);
    await next();
    expect(await again).toEqual(['a5']);
  });
});
