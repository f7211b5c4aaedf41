/** Work of one request, waiting. */
interface Waiting<Item, Outcome> {
  readonly sender: string;
  readonly items: readonly Item[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: unknown) => void;
}
export interface QueueLimits {
  readonly atOnce: number;
  /** Items of one batch; a single larger request is a batch of its own. */
  readonly batch: number;
}
/** Stores a batch of one sender; outcomes in the order of the items. */
export type StoreBatch<Item, Outcome> = (sender: string, items: readonly Item[]) => Promise<readonly Outcome[]>;

/** Requests that arrive while batches are being stored are stored together: many small requests cost as little as a few large ones. */
export class IngestQueue<Item, Outcome> {
  readonly #store: StoreBatch<Item, Outcome>;
  readonly #limits: QueueLimits;
  #waiting: Waiting<Item, Outcome>[] = [];
  #running = 0;

  constructor(store: StoreBatch<Item, Outcome>, limits: QueueLimits) {
    this.#store = store;
    this.#limits = limits;
  }
  add(sender: string, items: readonly Item[]): Promise<readonly Outcome[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ sender, items, resolve, reject });
      if (this.#running < this.#limits.atOnce) void this.#drain();
    });
  }
  async #drain(): Promise<void> {
    this.#running += 1;
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) await this.#run(batch);
    this.#running -= 1;
  }
  /** Of the sender who has waited longest, as much as one batch holds. */
  #take(): readonly Waiting<Item, Outcome>[] {
    const sender = this.#waiting[0]?.sender;
    let count = 0;
    const taken: Waiting<Item, Outcome>[] = [];
    const left: Waiting<Item, Outcome>[] = [];
    for (const request of this.#waiting) {
      const fits = request.sender === sender && (taken.length === 0 || count + request.items.length <= this.#limits.batch);
      if (fits) count += request.items.length;
      (fits ? taken : left).push(request);
    }
    this.#waiting = left;
    return taken;
  }
  async #run(batch: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const items = batch.length === 1 ? (batch[0]?.items ?? []) : batch.flatMap((request) => request.items);
      const outcomes = await this.#store(batch[0]?.sender ?? '', items);
      let from = 0;
      for (const request of batch) {
        request.resolve(batch.length === 1 ? outcomes : outcomes.slice(from, from + request.items.length));
        from += request.items.length;
      }
    } catch (error) {
      for (const request of batch) request.reject(error);
    }
  }
}
