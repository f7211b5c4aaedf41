import type { AuditEntry } from '../audit/audit.ts';
import type { NewOperation } from '../operations/operation-store.ts';
import type { Operation } from '../operations/operation.ts';
import type { InstanceBinding, InstanceState, InstanceValues, ServiceInstance, StoredSnapshot } from './instance.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { PlanSnapshot } from '../mesh/contribution.ts';

export interface NewInstance extends Omit<ServiceInstance, 'state' | 'planIds' | 'snapshotHash'> {
  readonly snapshot: StoredSnapshot;
}
export interface FoundInstance {
  readonly instance: ServiceInstance;
  /** Its unfinished operation. */
  readonly operation: Operation | undefined;
}
/** Service instances in the database; implemented by instance-store.pg.ts. */
export interface InstanceStore {
  /** The newest life of the id, gone or not. */
  find(platformId: string, instanceId: string): Promise<FoundInstance | undefined>;
  /** The same without its operation. */
  newest(platformId: string, instanceId: string): Promise<ServiceInstance | undefined>;
  byUuid(uuid: string): Promise<ServiceInstance | undefined>;
  /**
   * The accept transaction in one statement: snapshot, instance, operation and audit row. False: the id is in
   * use, or had this life or a later one; nothing was written.
   */
  accept(instance: NewInstance, operation: NewOperation, audit: AuditEntry): Promise<boolean>;
  /** Locks the row until the end of the transaction and reads it anew. */
  lock(uuid: string): Promise<FoundInstance | undefined>;
  setState(uuid: string, state: InstanceState): Promise<void>;
  saveSnapshot(snapshot: StoredSnapshot): Promise<void>;
  /** Read once per process: snapshots never change under their hash. */
  snapshot(hash: string): Promise<PlanSnapshot | undefined>;
  /** Only while the operation's lease is ours. Repeatable. Throws LeaseLost. */
  change(uuid: string, values: InstanceValues, fence: { operationId: string; epoch: number }): Promise<void>;
  liveBindings(uuid: string): Promise<readonly InstanceBinding[]>;
  /** Consumer kinds of the live bindings, each once. */
  boundKinds(uuid: string): Promise<readonly ConsumerKind[]>;
  /** A cascade: no binding of the instance can be used or changed from here on; their operations are superseded. */
  closeBindings(uuid: string): Promise<void>;
  /** Takes closeBindings back: a training plan failed the deprovision before anything was done. */
  reopenBindings(uuid: string): Promise<void>;
  markBindingsGone(uuid: string): Promise<void>;
}
