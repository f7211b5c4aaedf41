import type { Caller, LastOperationOutcome } from '../operations/operation-port.ts';
import type { JsonObject } from '../kernel/json.ts';

/** Wire-neutral; nulls mean absent. Ids are any non-empty text of at most 1,024 bytes. */
export interface ProvisionRequest {
  readonly instanceId: string;
  readonly serviceId: string;
  readonly planId: string;
  readonly organizationGuid: string;
  readonly spaceGuid: string;
  readonly context: JsonObject | null;
  readonly parameters: JsonObject | null;
  readonly maintenanceVersion: string | null;
  readonly acceptsIncomplete: boolean;
}
export interface UpdateRequest {
  readonly instanceId: string;
  readonly serviceId: string;
  readonly planId: string | null;
  readonly context: JsonObject | null;
  /** JSON Merge Patch (AMB-41). */
  readonly parameters: JsonObject | null;
  readonly maintenanceVersion: string | null;
  readonly acceptsIncomplete: boolean;
}
export interface DeleteRequest {
  readonly serviceId: string;
  readonly planId: string;
  readonly acceptsIncomplete: boolean;
}
export interface InstanceView {
  readonly serviceId: string;
  readonly planId: string;
  readonly parameters: JsonObject | null;
  readonly maintenanceVersion: string | null;
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly attributes: Readonly<Record<string, string>> };
}
export interface InstanceFacts {
  readonly metadata: InstanceView['metadata'];
}
/** Of a synchronous answer: the operation that was waited for, for the log; the platform is not told. */
export interface Done {
  readonly operation?: string;
}
export type ProvisionOutcome =
  | ({ readonly kind: 'created' } & Done & InstanceFacts) // 201: synchronous, done
  | ({ readonly kind: 'exists' } & Done & InstanceFacts) // 200: identical and ready
  | ({ readonly kind: 'accepted'; readonly operation: string } & InstanceFacts); // 202
export type UpdateOutcome =
  | ({ readonly kind: 'updated' } & Done & InstanceFacts) // 200
  | ({ readonly kind: 'accepted'; readonly operation: string } & InstanceFacts);
export type DeleteOutcome = ({ readonly kind: 'deleted' } & Done) | { readonly kind: 'accepted'; readonly operation: string };

/**
 * Service instances of OSB 2.17. Refusals are BrokerErrors: bad-request, conflict, gone, not-found, async-required, concurrency,
 * maintenance-conflict, plan-change-not-supported, timed-out, unavailable. Every method may be repeated; equal requests give equal answers.
 * The order of checks is PRV-24, DEP-05. Syntax and required fields are checked by the door before.
 */
export interface InstanceService {
  provision(caller: Caller, request: ProvisionRequest): Promise<ProvisionOutcome>;
  update(caller: Caller, request: UpdateRequest): Promise<UpdateOutcome>;
  deprovision(caller: Caller, instanceId: string, request: DeleteRequest): Promise<DeleteOutcome>;
  /** not-found (GIN-02), concurrency while updating or deleting. */
  fetch(caller: Caller, instanceId: string): Promise<InstanceView>;
  /** `operation`: as handed out, or null for the newest. */
  lastOperation(caller: Caller, instanceId: string, operation: string | null): Promise<LastOperationOutcome>;
}
