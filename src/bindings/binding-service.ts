import { bind } from './bind.ts';
import type { BindingDeps } from './binding-deps.ts';
import type { BindingService } from './binding-port.ts';
import { bindingLastOperation, fetchBinding } from './fetch-binding.ts';
import { unbind } from './unbind.ts';

export const createBindingService = (deps: BindingDeps): BindingService => ({
  bind: (caller, request) => bind(deps, caller, request),
  unbind: (caller, instanceId, bindingId, request) => unbind(deps, caller, instanceId, bindingId, request),
  fetch: (caller, instanceId, bindingId) => fetchBinding(deps, caller, instanceId, bindingId),
  lastOperation: (caller, instanceId, bindingId, operation) => bindingLastOperation(deps, caller, instanceId, bindingId, operation),
});
