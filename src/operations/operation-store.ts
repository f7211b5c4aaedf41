import type { ErrorCode } from '../kernel/errors.ts';
import type { Operation, OperationKind, ResourceKind } from './operation.ts';
import type { LastOperation } from './operation-port.ts';

export interface NewOperation {
  readonly id: string;
  readonly platformId: string | null;
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  readonly kind: OperationKind;
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestHash: string;
  /** From now, by the database's clock. */
  readonly deadlineSeconds: number;
}
export interface Outcome {
  readonly state: 'succeeded' | 'failed';
  readonly description: string;
  readonly instanceUsable: boolean | null;
  readonly updateRepeatable: boolean | null;
}
export interface Lease {
  readonly id: string;
  readonly epoch: number;
}
/** Operations in the database. All times are the database's. Implemented by operation-store.pg.ts. */
export interface OperationStore {
  /** Fails with a unique violation when the resource has an unfinished operation. */
  insert(operation: NewOperation): Promise<void>;
  byId(id: string): Promise<Operation | undefined>;
  unfinished(resourceKind: ResourceKind, resourceId: string): Promise<Operation | undefined>;
  /** Claims up to `limit` due operations that nobody holds, oldest first; each gets a higher epoch. */
  claimDue(owner: string, limit: number): Promise<readonly Operation[]>;
  /** Claims this one if it is unfinished and nobody holds it, due or not. */
  claim(id: string, owner: string): Promise<Operation | undefined>;
  /** Prolongs the leases; returns those that are still ours. */
  heartbeat(leases: readonly Lease[]): Promise<readonly string[]>;
  /** False: no longer ours. */
  postpone(
    lease: Lease,
    delayMs: number,
    to: { state: 'pending' | 'undoing' | 'quarantined'; step: string; error: string },
  ): Promise<boolean>;
  /** Turns the operation round: its steps are undone from the next claim on. False: no longer ours. */
  turnRound(lease: Lease, reason: string, code: ErrorCode | null): Promise<boolean>;
  /** Returns the reference of its resource (the id of an offering). Throws LeaseLost when it is no longer ours. */
  finish(lease: Lease, outcome: Outcome): Promise<string>;
  /** A deletion takes over: whatever the worker does from now on finds its lease lost. */
  supersede(id: string, reason: string): Promise<void>;
  /** A synchronous caller no longer waits: undo, whoever holds it. */
  giveUp(id: string, reason: string): Promise<void>;
  /** Runs it now, with a new deadline: a repeated DELETE, an operator's retry. */
  hurry(id: string, deadlineSeconds: number): Promise<void>;
  release(owner: string): Promise<void>;
  lastOperation(resourceKind: ResourceKind, resourceId: string, operationId: string | null): Promise<LastOperation | undefined>;
}
