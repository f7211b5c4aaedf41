import type { OperationKind, OperationState, ResourceKind } from './operation.ts';

/** The read side of /v1: one page of what exists. `platformId` null: of all platforms (admin). Newest first; `after` is the last `ref`/`id` of the page before. */
export interface Page {
  readonly platformId: string | null;
  readonly limit: number;
  readonly after: string | null;
}
export interface InstanceLine {
  readonly ref: string;
  readonly instanceId: string;
  readonly platform: string;
  readonly state: string;
  readonly offering: string;
  readonly plan: string;
  readonly planId: string;
  readonly serviceId: string;
  readonly organizationGuid: string;
  readonly spaceGuid: string;
  readonly createdAt: Date;
  readonly readyAt: Date | null;
}
export interface BindingLine {
  readonly ref: string;
  readonly bindingId: string;
  readonly instanceRef: string;
  readonly instanceId: string;
  readonly platform: string;
  readonly state: string;
  readonly exposure: string;
  readonly offering: string;
  readonly plan: string;
  readonly consumer: string;
  readonly consumerKind: string;
  readonly principal: string;
  readonly lineageId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly renewBefore: Date | null;
  /** Inside its renewal window: time to rotate. */
  readonly renewalDue: boolean;
}
export interface OperationLine {
  readonly id: string;
  readonly platform: string | null;
  readonly resourceKind: ResourceKind;
  readonly resource: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly step: string;
  readonly attempts: number;
  readonly description: string;
  /** Of the last try that failed; null also for what succeeded in the end. */
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly nextRunAt: Date;
}
export interface Inventory {
  instances(page: Page & { readonly state: string | null }): Promise<readonly InstanceLine[]>;
  bindings(
    page: Page & {
      readonly state: string | null;
      readonly consumer: string | null;
      readonly expiresBefore: Date | null;
      readonly instanceRef: string | null;
    },
  ): Promise<readonly BindingLine[]>;
  binding(ref: string, platformId: string | null): Promise<BindingLine | undefined>;
  operations(page: Page & { readonly state: string | null; readonly unfinished: boolean }): Promise<readonly OperationLine[]>;
  /** Runs a quarantined (or waiting) operation now. not-found, conflict when finished. */
  retryOperation(id: string, actor: string): Promise<OperationLine>;
  /** `guard release OFFERING` (name or id): conflict while live instances exist, not-found without a guard. Returns the operation. */
  releaseGuard(offering: string, actor: string): Promise<OperationLine>;
}
