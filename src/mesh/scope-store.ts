import type { Contribution, Exposure, GuardDefinition } from './contribution.ts';
import type { ObjectId } from './mesh-object.ts';

/** A scope's row. */
export interface ScopeState {
  readonly scope: string;
  readonly revision: number;
  /** sha256 of the objects of `revision`; '' before the first. */
  readonly objectsHash: string;
  /** Everything that may exist at the target. */
  readonly objectIds: readonly ObjectId[];
  /** The last revision known to be at the target. */
  readonly settledRevision: number;
  /** Who wanted `revision`. */
  readonly changedBy: string;
}
export interface Revision {
  readonly scope: string;
  readonly revision: number;
  readonly objectsHash: string;
  readonly objectIds: readonly ObjectId[];
  /** Who wanted it: a binding's reference or `guard/<offering id>`. Whoever it is writes it to the target, also after a crash. */
  readonly changedBy: string;
}
/** A member of a scope, and whose it is. */
export interface Neighbour {
  readonly scope: string;
  readonly platformId: string;
  readonly contribution: Contribution;
}
/** Scopes, their members and the guards, bound to a connection or a transaction. Implemented by scope-store.pg.ts. */
export interface ScopeStore {
  /** Creates the row when missing and locks it for the rest of the transaction; callers lock several in sorted order. */
  lock(scope: string): Promise<ScopeState>;
  /** Reads without a lock. */
  state(scope: string): Promise<ScopeState | undefined>;
  /** Those of the scopes that have a row, without a lock. */
  states(scopes: readonly string[]): Promise<readonly ScopeState[]>;
  revise(revision: Revision): Promise<void>;
  /** After a successful write: forgets removed objects. No effect when a newer revision exists. */
  settle(scope: string, revision: number, objectIds: readonly ObjectId[]): Promise<void>;
  /**
   * The target was found not to hold this settled revision: it counts as unwritten again, wanted by `changedBy`, and `objectIds` may be
   * there. False: a newer revision exists, or it is being written already.
   */
  unsettle(scope: string, revision: number, objectIds: readonly ObjectId[], changedBy: string): Promise<boolean>;
  currentRevision(scope: string): Promise<number>;
  /** Scopes whose last revision was wanted by this one and may not be at the target. */
  unsettled(changedBy: string): Promise<readonly string[]>;
  /** Sets the binding's exposure and its memberships: exactly these scopes. */
  expose(bindingRef: string, exposure: Exposure, scopes: readonly string[]): Promise<void>;
  contribution(bindingRef: string): Promise<Contribution | undefined>;
  /** Members of the scope, ordered by reference. */
  members(scope: string): Promise<readonly Contribution[]>;
  scopesOf(bindingRef: string): Promise<readonly string[]>;
  /**
   * Who is in these scopes: of all members that want the same (one snapshot, one workload) the first. Without those of the instance.
   * One indexed query.
   */
  neighbours(scopes: readonly string[], exceptInstance: string | null): Promise<readonly Neighbour[]>;
  /** Contributions of the instance that have anything in the mesh. */
  exposedOf(instanceUuid: string): Promise<readonly Contribution[]>;
  guard(offeringId: string): Promise<GuardDefinition | undefined>;
  guards(): Promise<readonly GuardDefinition[]>;
  /** Keeps the guard from being released until the transaction ends. False: there is none. */
  holdGuard(offeringId: string): Promise<boolean>;
  saveGuard(guard: GuardDefinition): Promise<void>;
  deleteGuard(offeringId: string): Promise<void>;
  /** Bindings of the offering that have anything in the mesh. */
  exposedBindings(offeringId: string): Promise<number>;
}
/** Keeps a worker whose lease is lost from changing the mesh. Implemented by src/operations/operation-fence.pg.ts. */
export interface OperationFence {
  /** Throws LeaseLost unless the operation is unfinished and held at that epoch; it stays so until the transaction ends. */
  hold(operationId: string, epoch: number): Promise<void>;
}
