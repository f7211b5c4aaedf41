import { BrokerError } from './errors.ts';

export interface GatherLimits {
  /** Calls of `run` under way at once. */
  readonly atOnce: number;
  /** Items in one call. */
  readonly most: number;
}

/**
 * Makes one call of `run` of the items that wait at the same time; `run` answers in their order. An item that comes alone goes at once.
 * Where a call with several fails for another reason than `unavailable`, each of its items is run alone, so that one cannot hurt another.
 */
export function gather<Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  { atOnce, most }: GatherLimits,
): (item: Item) => Promise<Result> {
  interface Waiting {
    readonly item: Item;
    readonly resolve: (result: Result) => void;
    readonly reject: (error: unknown) => void;
  }
  const waiting: Waiting[] = [];
  let running = 0;
  let scheduled = false;
  const call = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, at) => resolve(results[at] as Result));
    } catch (error) {
      if (batch.length === 1 || (error instanceof BrokerError && error.code === 'unavailable'))
        for (const { reject } of batch) reject(error);
      else for (const one of batch) await call([one]);
    }
  };
  const start = (): void => {
    scheduled = false;
    while (running < atOnce && waiting.length > 0) {
      running += 1;
      void call(waiting.splice(0, most)).then(() => {
        running -= 1;
        schedule();
      });
    }
  };
  const schedule = (): void => {
    if (scheduled || waiting.length === 0) return;
    scheduled = true;
    setImmediate(start); // what this turn of the event loop still reads goes along
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}
