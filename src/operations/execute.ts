import type { AuditLog } from '../audit/audit.ts';
import { BrokerError, type ErrorCode } from '../kernel/errors.ts';
import type { LogFields, Logger } from '../kernel/logger.ts';
import { point } from '../kernel/points.ts';
import type { Random } from '../kernel/random.ts';
import type { Transact } from '../kernel/transact.ts';
import { MeshRefusal } from '../mesh/mesh-refusal.ts';
import { backoffMs, classify, quarantineMs, reasonOf, triesOf } from './failure.ts';
import { LeaseLost } from './lease-lost.ts';
import type { Outcome, OperationStore } from './operation-store.ts';
import type { Operation } from './operation.ts';
import type { Recipe, Recipes, Step, StepContext } from './step.ts';
import { TrainingFailure } from './training.ts';

export interface OperationStores {
  readonly operations: OperationStore;
  readonly audit: AuditLog;
}
export interface Execution<Stores extends OperationStores> {
  readonly transact: Transact<Stores>;
  /** Outside any transaction: for what is one statement. */
  readonly stores: Stores;
  readonly recipes: Recipes<Stores>;
  readonly random: Random;
  readonly logger: Logger;
  /** One try of one step; what takes longer is tried again. */
  readonly stepTimeoutMs: number;
}

/** `unfinished`: it is tried again, here or elsewhere. */
export type Ended = 'succeeded' | 'failed' | 'unfinished';

/**
 * Takes a claimed operation as far as it goes: to its end, or to its next try. Never throws. Steps always run from the first one:
 * each is idempotent, and what is already there costs no write.
 */
export async function execute<Stores extends OperationStores>(
  { transact, stores, recipes, random, logger, stepTimeoutMs }: Execution<Stores>,
  operation: Operation,
  signal: AbortSignal,
): Promise<Ended> {
  const lease = { id: operation.id, epoch: operation.epoch };
  const recipe = recipes[operation.kind];
  const context: StepContext = { operation, fence: { operationId: operation.id, epoch: operation.epoch }, signal };
  let step = '';
  try {
    await point('W1');
    if (operation.overdue && recipe.undoable && !operation.undoing) {
      await turnRound(stores, operation, 'not done within the time that the plan allows', 'timed-out');
      return 'unfinished';
    }
    for (const next of inOrder(recipe, operation)) {
      step = next.name;
      await runStep(next, context, stepTimeoutMs);
    }
    await point('W9');
    await end(transact, recipe, operation);
    await point('W11');
    return operation.undoing ? 'failed' : 'succeeded';
  } catch (error) {
    if (error instanceof LeaseLost || signal.aborted) return 'unfinished';
    report(logger, { operation: operation.id, kind: operation.kind, step, attempts: operation.attempts, error }, error);
    const decision = decide(recipe, operation, error, random);
    const work = decision.turn
      ? turnRound(stores, operation, reasonOf(error), error instanceof BrokerError ? error.code : null)
      : transact(({ operations }) =>
          operations.postpone(lease, decision.delayMs, { state: decision.state, step, error: messageOf(error) }),
        );
    await work.catch((cause: unknown) => {
      logger.error({ operation: operation.id, error: cause }, 'could not record the failure: the lease will run out');
    });
    return 'unfinished';
  }
}

function report(logger: Logger, fields: LogFields, error: unknown): void {
  if (error instanceof MeshRefusal) logger.error(fields, 'an operation made mesh objects that cannot be written');
  else logger.warn(fields, 'an operation did not get through');
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 2_000);

function inOrder<Stores>(recipe: Recipe<Stores>, operation: Operation): readonly Step[] {
  const steps = recipe.steps(operation);
  if (!operation.undoing) return steps;
  return steps.toReversed().map((step) => ({
    name: `undo ${step.name}`,
    run: async (context: StepContext) => {
      await step.undo?.(context);
    },
  }));
}

async function runStep(step: Step, context: StepContext, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BrokerError('timed-out', `step ${step.name} took longer than ${timeoutMs} ms`)), timeoutMs);
    context.signal.addEventListener('abort', () => reject(new LeaseLost(context.operation.id)), { once: true });
  });
  late.catch(() => undefined);
  try {
    await Promise.race([step.run(context), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function end<Stores extends OperationStores>(
  transact: Transact<Stores>,
  recipe: Recipe<Stores>,
  operation: Operation,
): Promise<void> {
  const failed = operation.undoing;
  const outcome: Outcome = {
    state: failed ? 'failed' : 'succeeded',
    description: failed ? operation.description : '',
    instanceUsable: failed && (operation.kind === 'update' || operation.kind === 'deprovision') ? true : null,
    updateRepeatable: failed && operation.kind === 'update' ? true : null,
  };
  await transact(async (stores) => {
    const resource = await stores.operations.finish({ id: operation.id, epoch: operation.epoch }, outcome);
    if (failed) await recipe.failed(stores, operation, operation.description);
    else await recipe.succeeded(stores, operation);
    await stores.audit.append({
      actor: 'broker',
      originatingIdentity: null,
      requestId: null,
      action: `${operation.resourceKind}.${operation.kind}`,
      resource,
      outcome: outcome.state,
      detail: failed ? { operation: operation.id, reason: operation.description } : { operation: operation.id },
    });
  });
  await point('W10');
}

type Decision =
  { readonly turn: true } | { readonly turn: false; readonly state: 'pending' | 'undoing' | 'quarantined'; readonly delayMs: number };

/** What follows a failed try (operations that cannot be undone, and undoing itself, never end: they go to quarantine). */
export function decide<Stores>(recipe: Recipe<Stores>, operation: Operation, error: unknown, random: Random): Decision {
  const exhausted = operation.attempts >= triesOf[classify(error)];
  if (error instanceof TrainingFailure || (exhausted && recipe.undoable && !operation.undoing)) return { turn: true };
  const stuck = exhausted || (operation.overdue && (operation.undoing || !recipe.undoable));
  if (stuck) return { turn: false, state: 'quarantined', delayMs: quarantineMs };
  return { turn: false, state: operation.undoing ? 'undoing' : 'pending', delayMs: backoffMs(operation.attempts, random) };
}

const turnRound = (stores: OperationStores, operation: Operation, reason: string, code: ErrorCode | null): Promise<boolean> =>
  stores.operations.turnRound({ id: operation.id, epoch: operation.epoch }, reason, code);
