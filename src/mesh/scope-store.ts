import type { Contribution, Exposure, GuardDefinition } from './contribution.ts';
import type { ObjectId } from './mesh-object.ts';

/** A scope's row, locked for the rest of the transaction. */
export interface ScopeState {
  readonly scope: string;
  readonly revision: number;
  /** sha256 of the objects of `revision`; '' before the first. */
  readonly objectsHash: string;
  /** Everything that may exist at the target. */
  readonly objectIds: readonly ObjectId[];
  /** The last revision known to be at the target. */
  readonly settledRevision: number;
}
/** Scopes, their members and the guards, bound to a connection or a transaction. Implemented by scope-store.pg.ts. */
export interface ScopeStore {
  /** Creates the row when missing and locks it; callers lock several in sorted order. */
  lock(scope: string): Promise<ScopeState>;
  revise(scope: string, revision: number, objectsHash: string, objectIds: readonly ObjectId[]): Promise<void>;
  /** After a successful write: forget removed objects. No effect when a newer revision exists. */
  settle(scope: string, revision: number, objectIds: readonly ObjectId[]): Promise<void>;
  currentRevision(scope: string): Promise<number>;
  /** Sets the binding's exposure and its memberships: exactly these scopes. */
  expose(bindingRef: string, exposure: Exposure, scopes: readonly string[]): Promise<void>;
  contribution(bindingRef: string): Promise<Contribution | undefined>;
  /** Members of the scope, ordered by reference. */
  members(scope: string): Promise<readonly Contribution[]>;
  scopesOf(bindingRef: string): Promise<readonly string[]>;
  guard(offeringId: string): Promise<GuardDefinition | undefined>;
  saveGuard(guard: GuardDefinition): Promise<void>;
  deleteGuard(offeringId: string): Promise<void>;
}
