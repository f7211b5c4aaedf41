import type { Catalog } from '../catalog/catalog-port.ts';
import type { Random } from '../kernel/random.ts';
import type { Transact } from '../kernel/transact.ts';
import type { OperationRunner } from '../operations/operation-runner.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { AuditLog } from '../audit/audit.ts';
import { deprovision } from './deprovision.ts';
import { fetchInstance, instanceLastOperation } from './fetch-instance.ts';
import type { InstanceService } from './instance-port.ts';
import type { InstanceStore } from './instance-store.ts';
import { provision } from './provision.ts';
import { updateInstance } from './update-instance.ts';

export interface InstanceStores {
  readonly instances: InstanceStore;
  readonly operations: OperationStore;
  readonly audit: AuditLog;
}
export interface InstanceDeps {
  readonly catalog: Catalog;
  readonly stores: InstanceStores;
  readonly transact: Transact<InstanceStores>;
  readonly runner: OperationRunner;
  readonly random: Random;
  /** How long a synchronous request waits for its operation; platforms give up after about 60 s. */
  readonly syncTimeoutMs: number;
}
export const createInstanceService = (deps: InstanceDeps): InstanceService => ({
  provision: (caller, request) => provision(deps, caller, request),
  update: (caller, request) => updateInstance(deps, caller, request),
  deprovision: (caller, instanceId, request) => deprovision(deps, caller, instanceId, request),
  fetch: (caller, instanceId) => fetchInstance(deps, caller, instanceId),
  lastOperation: (caller, instanceId, operation) => instanceLastOperation(deps, caller, instanceId, operation),
});
