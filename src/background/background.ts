import type { BackgroundTask } from '../kernel/background.ts';
import type { Logger } from '../kernel/logger.ts';

/** What a task looks like from outside (readiness, metrics). */
export interface TaskHealth {
  readonly name: string;
  /** Failures since the last success. */
  readonly failures: number;
  readonly lastError: string | null;
  /** Since the last success, or since the start. */
  readonly secondsSinceSuccess: number;
}
export interface TaskObserver {
  /** One activation has ended. */
  ran(name: string, outcome: 'succeeded' | 'failed', seconds: number): void;
}
export interface Background {
  start(): void;
  /** The task has something to do now: runs as soon as a running activation has ended. Unknown names are ignored. */
  wake(name: string): void;
  health(): readonly TaskHealth[];
  /** Aborts what runs, and waits for it at most `graceMs`. Repeatable. */
  stop(graceMs: number): Promise<void>;
}
const longestPauseMs = 60_000;

/** Each task one activation at a time, at its interval and when woken; a failing one is tried again after a growing pause. */
export function background(tasks: readonly BackgroundTask[], logger: Logger, observer: TaskObserver): Background {
  const loops = tasks.map((task) => new TaskLoop(task, logger, observer));
  return {
    start: () => loops.forEach((loop) => loop.start()),
    wake: (name) => loops.filter((loop) => loop.name === name).forEach((loop) => loop.wake()),
    health: () => loops.map((loop) => loop.health()),
    async stop(graceMs) {
      await Promise.all(loops.map((loop) => loop.stop(graceMs)));
    },
  };
}

class TaskLoop {
  readonly name: string;
  readonly #task: BackgroundTask;
  readonly #logger: Logger;
  readonly #observer: TaskObserver;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #woken = false;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #lastError: string | null = null;
  #succeededAt = performance.now();

  constructor(task: BackgroundTask, logger: Logger, observer: TaskObserver) {
    this.name = task.name;
    this.#task = task;
    this.#logger = logger;
    this.#observer = observer;
  }
  start(): void {
    this.#succeededAt = performance.now();
    this.wake();
  }
  wake(): void {
    if (this.#abort.signal.aborted) return;
    this.#woken = true;
    clearTimeout(this.#timer);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (!this.#abort.signal.aborted) this.#timer = setTimeout(() => this.wake(), this.#pauseMs()).unref();
    });
  }
  health(): TaskHealth {
    const secondsSinceSuccess = (performance.now() - this.#succeededAt) / 1_000;
    return { name: this.name, failures: this.#failures, lastError: this.#lastError, secondsSinceSuccess };
  }
  async stop(graceMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (this.#running === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.#running, new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))]);
    clearTimeout(timer);
  }
  async #run(): Promise<void> {
    let more = false;
    while ((more || this.#woken) && !this.#abort.signal.aborted) {
      this.#woken = false;
      more = await this.#once();
      if (more) await new Promise((resolve) => void setImmediate(resolve)); // requests come first
    }
  }
  async #once(): Promise<boolean> {
    const startedAt = performance.now();
    try {
      const more = await this.#task.activate(this.#abort.signal);
      this.#succeededAt = performance.now();
      if (this.#failures > 0) this.#logger.info({ task: this.name, failures: this.#failures }, 'a background task works again');
      this.#failures = 0;
      this.#lastError = null;
      this.#observer.ran(this.name, 'succeeded', (this.#succeededAt - startedAt) / 1_000);
      return more;
    } catch (error) {
      if (this.#abort.signal.aborted) return false;
      this.#failures += 1;
      this.#lastError = error instanceof Error ? error.message : String(error);
      if (this.#failures === 1) this.#logger.warn({ task: this.name, error }, 'a background task failed; it is tried again');
      this.#observer.ran(this.name, 'failed', (performance.now() - startedAt) / 1_000);
      return false;
    }
  }
  #pauseMs(): number {
    if (this.#failures === 0) return this.#task.everyMs;
    return Math.min(longestPauseMs, Math.max(this.#task.everyMs, 1_000) * 2 ** Math.min(this.#failures - 1, 6));
  }
}
