import { BrokerError } from '../kernel/errors.ts';
import { execute, type Ended, type Execution, type OperationStores } from './execute.ts';
import type { Operation } from './operation.ts';

export interface RunnerSettings {
  /** Names this process in the leases. */
  readonly owner: string;
  /** Operations at once. */
  readonly concurrency: number;
  readonly heartbeatMs: number;
  /** Other replicas' operations are found by polling: a dead worker's work goes on within the lease and this. */
  readonly pollMs: number;
}
export interface RunnerObserver {
  started(operation: Operation): void;
  /** `operation` as it was claimed. */
  ended(operation: Operation, outcome: Ended): void;
}
interface Held {
  readonly epoch: number;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}
const lookAgainMs = 25;

/** Claims operations and runs them; one for each process. */
export class Runner<Stores extends OperationStores> {
  private readonly execution: Execution<Stores>;
  private readonly settings: RunnerSettings;
  private readonly observer: RunnerObserver;
  private readonly held = new Map<string, Held>();
  private readonly timers: NodeJS.Timeout[] = [];
  private claiming = false;
  private claimAgain = false;
  private stopped = true;
  private lastError: string | undefined;

  constructor(execution: Execution<Stores>, settings: RunnerSettings, observer: RunnerObserver) {
    this.execution = execution;
    this.settings = settings;
    this.observer = observer;
  }

  start(): void {
    this.stopped = false;
    this.timers.push(setInterval(() => this.wake(), this.settings.pollMs));
    this.timers.push(setInterval(() => void this.heartbeat(), this.settings.heartbeatMs));
    this.wake();
  }

  /** Something may be due now. */
  wake(): void {
    if (this.claiming) this.claimAgain = true;
    else if (!this.stopped) void this.claimDue();
  }

  /** What is wrong with claiming, if anything (readiness, doctor). */
  problem(): string | undefined {
    return this.lastError;
  }

  /** Runs this operation at once and waits for its end, whoever runs it. undefined: not ended in time. */
  async runNow(id: string, timeoutMs: number): Promise<Operation | undefined> {
    if (this.stopped) throw new BrokerError('unavailable', 'the broker is stopping: send the request again', { retryAfterSeconds: 5 });
    const end = performance.now() + timeoutMs;
    const claimed = await this.execution.stores.operations.claim(id, this.settings.owner);
    if (claimed !== undefined) await atMost(timeoutMs, this.take(claimed));
    for (;;) {
      const operation = await this.execution.stores.operations.byId(id);
      if (operation === undefined || operation.finishedAt !== null) return operation;
      if (performance.now() >= end) return undefined;
      const held = this.held.get(id)?.done;
      await (held === undefined ? pause(lookAgainMs) : atMost(lookAgainMs * 4, held));
    }
  }

  /** Stops claiming, aborts what runs, gives the leases back. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    await atMost(graceMs, Promise.all([...this.held.values()].map(({ done }) => done)));
    for (const { abort } of this.held.values()) abort.abort();
    await this.execution.stores.operations.release(this.settings.owner);
  }

  private async claimDue(): Promise<void> {
    this.claiming = true;
    try {
      do {
        this.claimAgain = false;
        const free = this.settings.concurrency - this.held.size;
        if (free <= 0) return;
        const claimed = await this.execution.stores.operations.claimDue(this.settings.owner, free);
        for (const operation of claimed) void this.take(operation).then(() => this.wake());
        if (claimed.length === free) this.claimAgain = true;
        this.lastError = undefined;
      } while (this.claimAgain && !this.stopped);
    } catch (error) {
      this.lastError = error instanceof Error ? error.message : String(error);
      this.execution.logger.warn({ error }, 'cannot claim operations');
    } finally {
      this.claiming = false;
    }
  }

  private take(operation: Operation): Promise<void> {
    const abort = new AbortController();
    this.observer.started(operation);
    const done = execute(this.execution, operation, abort.signal).then((outcome) => {
      if (this.held.get(operation.id)?.epoch === operation.epoch) this.held.delete(operation.id);
      this.observer.ended(operation, outcome);
    });
    this.held.set(operation.id, { epoch: operation.epoch, abort, done });
    return done;
  }

  private async heartbeat(): Promise<void> {
    const leases = [...this.held].map(([id, { epoch }]) => ({ id, epoch }));
    if (leases.length === 0) return;
    try {
      const ours = new Set(await this.execution.stores.operations.heartbeat(leases));
      for (const { id } of leases) if (!ours.has(id)) this.held.get(id)?.abort.abort();
    } catch (error) {
      this.execution.logger.warn({ error }, 'cannot prolong the leases');
    }
  }
}

/** Waits for the work, but no longer; leaves no timer behind. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
