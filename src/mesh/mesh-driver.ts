import type { MeshObject, ObjectId } from './mesh-object.ts';

/**
 * One write of one scope: a set of objects that is compiled as a whole from all live members (docs/architecture.md, "Scopes").
 * `revision` only rises; every object carries it in the annotation `meshbroker.dev/generation`.
 */
export interface ScopeWrite {
  readonly scope: string;
  readonly revision: number;
  /** In order of exposure: written first to last. */
  readonly put: readonly MeshObject[];
  /** Removed after the puts, first to last. */
  readonly remove: readonly ObjectId[];
}
/** Asked by a driver inside its own mutual exclusion, right before it writes: is this revision still the newest of the scope? */
export type IsCurrent = () => Promise<boolean>;

/** Makes a mesh hold what the scopes say. Knows nothing of bindings. All methods may be repeated safely. */
export interface MeshDriver {
  readonly name: string;
  /**
   * `superseded`: a higher revision is at the target or recorded; nothing was written, and that revision holds our part.
   * Errors: BrokerError `unavailable` (may be tried again) or MeshRefusal (the mesh does not take the objects: permanent).
   * Any other error means that the outcome is unknown: the caller repeats.
   */
  apply(write: ScopeWrite, isCurrent: IsCurrent): Promise<'applied' | 'superseded'>;
  /** Those of the objects that exist at the target, as they are there. */
  read(ids: readonly ObjectId[]): Promise<readonly MeshObject[]>;
  /**
   * Makes what was applied effective as one unit of record: gitops commits (trailer `Broker-Op: <operationId>`) and pushes; others do
   * nothing. Repeated for the same operation: found by its trailer, no second commit.
   */
  publish(publication: Publication): Promise<void>;
  /** Whether the target can be reached and written; the sentence says what is wrong and the fix. */
  check(): Promise<{ readonly ok: true } | { readonly ok: false; readonly problem: string }>;
  close(): Promise<void>;
}
export interface Publication {
  readonly operationId: string;
  /** One line, `bind mb-…: grant reviews to web/web-frontend`. */
  readonly subject: string;
}
