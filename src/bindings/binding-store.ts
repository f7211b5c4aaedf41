import type { AuditEntry } from '../audit/audit.ts';
import type { NewOperation } from '../operations/operation-store.ts';
import type { Operation } from '../operations/operation.ts';
import type { BindingState, ServiceBinding } from './binding.ts';

export interface NewBinding extends Omit<ServiceBinding, 'instanceUuid' | 'state' | 'exposure' | 'expiresAt' | 'renewBefore' | 'overdue'> {
  readonly instanceRef: string;
  /** Of its instance. */
  readonly snapshotHash: string;
  readonly predecessorUuid: string | null;
}
export interface FoundBinding {
  readonly binding: ServiceBinding;
  /** Its unfinished operation, an expiry's apart. */
  readonly operation: Operation | undefined;
}
/** Service bindings in the database; implemented by binding-store.pg.ts. */
export interface BindingStore {
  /** The newest life of the id on this platform, whatever its instance. */
  find(platformId: string, bindingId: string): Promise<FoundBinding | undefined>;
  byUuid(uuid: string): Promise<ServiceBinding | undefined>;
  byRef(ref: string): Promise<ServiceBinding | undefined>;
  /**
   * The accept transaction in one statement: binding, operation and audit row, only while the instance is ready on that plan and
   * snapshot (its row is locked against a deprovision), and only as a later life than any that the id had. False: nothing was written.
   */
  accept(binding: NewBinding, operation: NewOperation, audit: AuditEntry): Promise<boolean>;
  lock(uuid: string): Promise<FoundBinding | undefined>;
  setState(uuid: string, state: BindingState): Promise<void>;
  /** The end of its certificate bounds the binding's. Repeatable. */
  bound(uuid: string, notAfter: Date): Promise<void>;
  /** Ready from now; ends with the plan's validity or the bound, whichever comes first; renew_before is two thirds into it. */
  begin(uuid: string): Promise<void>;
  /** Ready bindings whose end has come, oldest first. */
  due(limit: number): Promise<readonly ServiceBinding[]>;
}
