import { deprovision } from './deprovision.ts';
import { fetchInstance, instanceLastOperation } from './fetch-instance.ts';
import type { InstanceDeps } from './instance-deps.ts';
import type { InstanceService } from './instance-port.ts';
import { provision } from './provision.ts';
import { updateInstance } from './update-instance.ts';

export const createInstanceService = (deps: InstanceDeps): InstanceService => ({
  provision: (caller, request) => provision(deps, caller, request),
  update: (caller, request) => updateInstance(deps, caller, request),
  deprovision: (caller, instanceId, request) => deprovision(deps, caller, instanceId, request),
  fetch: (caller, instanceId) => fetchInstance(deps, caller, instanceId),
  lastOperation: (caller, instanceId, operation) => instanceLastOperation(deps, caller, instanceId, operation),
});
