import type { Sql } from '../kernel/sql.ts';
import type { OperationFence } from '../mesh/scope-store.ts';
import { LeaseLost } from './lease-lost.ts';

const hold = {
  name: 'operation_fence',
  text: `select 1 from operation where id = $1 and lease_epoch = $2 and state not in ('succeeded', 'failed') for share`,
};
/** Bound to the transaction whose change it fences: whoever claims the operation meanwhile waits for its end. */
export const pgOperationFence = (sql: Sql): OperationFence => ({
  async hold(operationId, epoch) {
    if ((await sql.run(hold, [operationId, epoch])).count !== 1) throw new LeaseLost(operationId);
  },
});
