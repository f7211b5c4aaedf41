/** The state of an operation: `pending` and `running` read `in progress` for a platform; `undoing` too; the rest is final. */
export type OperationState = 'pending' | 'running' | 'undoing' | 'quarantined' | 'succeeded' | 'failed';
export type OperationKind = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind' | 'expire' | 'guard-release';
export type ResourceKind = 'instance' | 'binding' | 'offering';

/** At once the answer to last_operation, the lock of its resource, and the job. */
export interface Operation {
  readonly id: string;
  readonly platformId: string | null;
  readonly resourceKind: ResourceKind;
  readonly resourceId: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  /** Name of the next step. '' before the first. */
  readonly step: string;
  readonly attempts: number;
  readonly epoch: number;
  /** What the steps need beside the resource's row (an update: previous and desired values). */
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestHash: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  /** After this a create or update is undone and failed; a delete reads failed and goes on (CAT-24, LOI-11). */
  readonly deadlineAt: Date;
  readonly instanceUsable: boolean | null;
  readonly updateRepeatable: boolean | null;
}
