import type { Exposure, PlanSnapshot } from '../mesh/contribution.ts';
import type { JsonObject } from '../kernel/json.ts';

export type InstanceState = 'provisioning' | 'ready' | 'updating' | 'deprovisioning' | 'failed' | 'gone';

/** A service instance as stored. `uuid` is ours, `instanceId` the platform's; `life` counts re-uses of a deleted id (URL-04). */
export interface ServiceInstance {
  readonly uuid: string;
  readonly platformId: string;
  readonly instanceId: string;
  readonly ref: string;
  readonly life: number;
  readonly state: InstanceState;
  readonly serviceId: string;
  readonly offeringName: string;
  readonly planId: string;
  /** Every plan the instance has had (AMB-26). */
  readonly planIds: readonly string[];
  readonly snapshotHash: string;
  readonly organizationGuid: string;
  readonly spaceGuid: string;
  readonly context: JsonObject;
  readonly parameters: JsonObject;
  readonly maintenanceVersion: string | null;
  /** Fingerprint of the request that made it. */
  readonly requestHash: string;
}
/** What an instance changes to and from: the input of an update operation. */
export interface InstanceValues {
  readonly planId: string;
  readonly snapshotHash: string;
  readonly parameters: JsonObject;
  readonly context: JsonObject;
  readonly maintenanceVersion: string | null;
}
export const valuesOf = ({ planId, snapshotHash, parameters, context, maintenanceVersion }: ServiceInstance): InstanceValues => ({
  planId,
  snapshotHash,
  parameters,
  context,
  maintenanceVersion,
});
/** A live binding of the instance, as far as instances must know. */
export interface InstanceBinding {
  readonly uuid: string;
  readonly ref: string;
  readonly exposure: Exposure;
}
export interface StoredSnapshot {
  readonly hash: string;
  readonly snapshot: PlanSnapshot;
}
