import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OperationKind, OperationState } from '../operations/operation.ts';

/** Unfinished operations, counted by the database when metrics are read. */
export interface UnfinishedOperations {
  readonly kind: string;
  readonly state: string;
  readonly count: number;
  readonly oldestSeconds: number;
}
export interface MetricsSources {
  unfinishedOperations(): Promise<readonly UnfinishedOperations[]>;
}
/** What the rooms may count. Names and labels: docs/runbook.md. Labels hold words of a fixed list only, never ids. */
export interface BrokerMetrics {
  request(labels: { readonly contract: string; readonly operation: string; readonly status: number }, seconds: number): void;
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** `queueSeconds`: from when it was due until its first step. */
  operationStarted(kind: OperationKind, queueSeconds: number): void;
  operationEnded(kind: OperationKind, state: OperationState, seconds: number): void;
  /** `publish`: commit and push, where the driver does that. */
  meshWritten(driver: string, step: 'apply' | 'publish', outcome: 'succeeded' | 'failed', seconds: number): void;
  usageIngested(counts: {
    readonly accepted: number;
    readonly duplicate: number;
    readonly conflict: number;
    readonly rejected: number;
  }): void;
  /** A background task (TaskObserver). */
  ran(name: string, outcome: 'succeeded' | 'failed', seconds: number): void;
  /** Rows deleted or partitions dropped by housekeeping. */
  cleaned(what: string, rows: number): void;
  /** Where the figures of the database come from, once it is open. */
  readFrom(sources: MetricsSources): void;
}
const fast = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A push ends after a minute at the latest. */
const writing = [...fast, 30, 60];
const slow = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 3_600];

export function brokerMetrics(): BrokerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `meshbroker_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> =>
    new Histogram({ name: `meshbroker_${name}`, help, labelNames, buckets, registers });
  collectDefaultMetrics({ register: registry, prefix: 'meshbroker_' });

  const requests = counter('http_requests_total', 'Requests answered', ['contract', 'operation', 'status']);
  const requestSeconds = histogram('http_request_seconds', 'From the first byte to the answer', ['contract', 'operation'], fast);
  const operations = counter('operations_total', 'Operations that ended', ['kind', 'state']);
  const operationSeconds = histogram('operation_seconds', 'From acceptance to the end', ['kind', 'state'], slow);
  const queueSeconds = histogram('operation_queue_seconds', 'From due to the first step', ['kind'], fast);
  const meshSeconds = histogram(
    'mesh_apply_seconds',
    'One write of the mesh driver: step apply writes objects, step publish commits and pushes',
    ['driver', 'step', 'outcome'],
    writing,
  );
  const events = counter('usage_events_total', 'Usage events received', ['outcome']);
  const tasks = counter('background_task_runs_total', 'Activations of background tasks', ['task', 'outcome']);
  const taskSeconds = histogram('background_task_seconds', 'One activation', ['task'], fast);
  const taskFailures = new Gauge({ name: 'meshbroker_background_task_failures', help: 'Failures since the last success', labelNames: ['task'], registers }); // prettier-ignore
  const cleanedRows = counter('cleaned_rows_total', 'Rows or partitions removed by housekeeping', ['what']);
  const { readFrom } = unfinishedGauges(registers);
  const failures = new Map<string, number>();

  return {
    request({ contract, operation, status }, seconds) {
      requests.inc({ contract, operation, status });
      requestSeconds.observe({ contract, operation }, seconds);
    },
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    operationStarted: (kind, seconds) => queueSeconds.observe({ kind }, seconds),
    operationEnded(kind, state, seconds) {
      operations.inc({ kind, state });
      operationSeconds.observe({ kind, state }, seconds);
    },
    meshWritten: (driver, step, outcome, seconds) => meshSeconds.observe({ driver, step, outcome }, seconds),
    usageIngested(counts) {
      for (const outcome of ['accepted', 'duplicate', 'conflict', 'rejected'] as const) events.inc({ outcome }, counts[outcome]);
    },
    ran(task, outcome, seconds) {
      tasks.inc({ task, outcome });
      taskSeconds.observe({ task }, seconds);
      failures.set(task, outcome === 'failed' ? (failures.get(task) ?? 0) + 1 : 0);
      taskFailures.set({ task }, failures.get(task) ?? 0);
    },
    cleaned: (what, rows) => cleanedRows.inc({ what }, rows),
    readFrom,
  };
}

/** Read at each scrape; a database that is away leaves them out instead of failing the scrape. */
function unfinishedGauges(registers: Registry[]): Pick<BrokerMetrics, 'readFrom'> {
  let sources: MetricsSources | undefined;
  let latest: Promise<readonly UnfinishedOperations[]> | undefined;
  const read = (): Promise<readonly UnfinishedOperations[]> => {
    latest ??= (sources?.unfinishedOperations() ?? Promise.resolve([])).catch(() => []).finally(() => (latest = undefined));
    return latest;
  };
  new Gauge({
    name: 'meshbroker_operations_unfinished', help: 'Operations that have not ended', labelNames: ['kind', 'state'], registers,
    async collect() {
      this.reset();
      for (const { kind, state, count } of await read()) this.set({ kind, state }, count);
    },
  }); // prettier-ignore
  new Gauge({
    name: 'meshbroker_operations_oldest_unfinished_seconds', help: 'Age of the oldest operation that has not ended', registers,
    async collect() {
      this.set(Math.max(0, ...(await read()).map(({ oldestSeconds }) => oldestSeconds)));
    },
  }); // prettier-ignore
  return { readFrom: (next) => void (sources = next) };
}
