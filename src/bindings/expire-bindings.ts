import type { BackgroundTask } from '../kernel/background.ts';
import type { Random } from '../kernel/random.ts';
import type { Transact } from '../kernel/transact.ts';
import type { OperationRunner } from '../operations/operation-runner.ts';
import { defaultPollingSeconds } from '../operations/operation.ts';
import type { BindingStores } from './binding-deps.ts';

const batch = 100;

/** Starts the withdrawal of every binding whose expires_at has come. */
export const expireBindings = (
  stores: BindingStores,
  transact: Transact<BindingStores>,
  runner: OperationRunner,
  random: Random,
): BackgroundTask => ({
  name: 'expire-bindings',
  everyMs: 1_000,
  async activate(signal) {
    const due = await stores.bindings.due(batch);
    for (const { uuid } of due) {
      if (signal.aborted) return false;
      await transact(async ({ bindings, operations, audit }) => {
        const locked = await bindings.lock(uuid);
        if (locked?.binding.state !== 'ready' || !locked.binding.overdue || locked.operation !== undefined) return;
        const id = random.uuid();
        const { platformId, ref } = locked.binding;
        await bindings.setState(uuid, 'expired');
        await operations.insert({
          id,
          platformId,
          resourceKind: 'binding',
          resourceId: uuid,
          kind: 'expire',
          input: { stateBefore: 'expired' },
          requestHash: '',
          deadlineSeconds: defaultPollingSeconds,
        });
        const entry = { actor: 'broker', originatingIdentity: null, requestId: null, action: 'binding.expire', resource: ref };
        await audit.append({ ...entry, outcome: 'accepted', detail: { operation: id } });
      });
    }
    if (due.length > 0) runner.wake();
    return due.length === batch;
  },
});
