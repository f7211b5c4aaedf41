import type { ErrorCode } from '../kernel/errors.ts';

/** `pending`, `running`, `undoing` and `quarantined` are unfinished: a platform reads `in progress`, past the deadline `failed`. */
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
  /** Its steps are being taken back; it will end as failed. */
  readonly undoing: boolean;
  /** Claims since the last success of a step or change of direction. */
  readonly attempts: number;
  readonly epoch: number;
  /** What the steps need beside the resource's row (an update: previous and desired values). */
  readonly input: Readonly<Record<string, unknown>>;
  readonly requestHash: string;
  readonly description: string;
  /** Why it is being undone or has failed; null: not an error of ours to name. */
  readonly errorCode: ErrorCode | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  /** After this a create or update is undone and failed; a delete reads failed and goes on (CAT-24, LOI-11). */
  readonly deadlineAt: Date;
  /** Past its deadline, by the database's clock, when it was read. */
  readonly overdue: boolean;
  readonly instanceUsable: boolean | null;
  readonly updateRepeatable: boolean | null;
}

/** Unfinished longer than this reads failed where a plan says nothing (CAT-24). */
export const defaultPollingSeconds = 3_600;
