import type { Fence } from '../mesh/exposure-port.ts';
import type { Operation, OperationKind } from './operation.ts';

export interface StepContext {
  readonly operation: Operation;
  readonly fence: Fence;
  /** Aborted when the lease is lost, the deadline has passed or the process stops. */
  readonly signal: AbortSignal;
}
/** One effect of an operation. `run` and `undo` may be repeated, also after each other's crash; neither is called inside a transaction. */
export interface Step {
  readonly name: string;
  run(context: StepContext): Promise<void>;
  /** Absent: nothing to take back. Called in reverse order, also for steps that never ran. */
  undo?(context: StepContext): Promise<void>;
}
/** How operations of one kind are done; owned by the feature whose resource they change. */
export interface Recipe<Stores> {
  /** Creates and updates are undone when they cannot be done; deletes and revocations go on until they are done. */
  readonly undoable: boolean;
  steps(operation: Operation): readonly Step[];
  /** The resource's part of the finishing transaction. */
  succeeded(stores: Stores, operation: Operation): Promise<void>;
  failed(stores: Stores, operation: Operation, reason: string): Promise<void>;
}
export type Recipes<Stores> = Readonly<Record<OperationKind, Recipe<Stores>>>;
