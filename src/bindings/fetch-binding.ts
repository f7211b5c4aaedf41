import { BrokerError } from '../kernel/errors.ts';
import type { Caller, LastOperationOutcome } from '../operations/operation-port.ts';
import type { BindingView } from './binding-port.ts';
import type { BindingDeps } from './binding-deps.ts';
import type { ServiceBinding } from './binding.ts';
import { bindingView } from './binding-view.ts';

/** OSB 2.17 "Fetching a Service Binding" (GBN; AMB-12: not once unbind was accepted). */
export async function fetchBinding(deps: BindingDeps, caller: Caller, instanceId: string, bindingId: string): Promise<BindingView> {
  const binding = await ofInstance(deps, caller, instanceId, bindingId);
  if (binding?.state !== 'ready' && binding?.state !== 'expired')
    throw new BrokerError('not-found', 'no service binding with this id is ready');
  return bindingView(deps, binding);
}

/** OSB 2.17 "Polling Last Operation" of bindings (LOB); a gone one answers while its tombstone lives. */
export async function bindingLastOperation(
  deps: BindingDeps,
  caller: Caller,
  instanceId: string,
  bindingId: string,
  operation: string | null,
): Promise<LastOperationOutcome> {
  const binding = await ofInstance(deps, caller, instanceId, bindingId);
  if (binding === undefined) return { kind: 'unknown' };
  const last = await deps.stores.operations.lastOperation('binding', binding.uuid, operation);
  return last === undefined ? { kind: 'unknown' } : { kind: 'found', operation: last };
}

/** The binding, if it is of that instance (AMB-14). */
export async function ofInstance(
  deps: Pick<BindingDeps, 'stores'>,
  caller: Caller,
  instanceId: string,
  bindingId: string,
): Promise<ServiceBinding | undefined> {
  const found = await deps.stores.bindings.find(caller.platform.platformId, bindingId);
  if (found === undefined) return undefined;
  const instance = await deps.stores.instances.byUuid(found.binding.instanceUuid);
  return instance?.instanceId === instanceId ? found.binding : undefined;
}
