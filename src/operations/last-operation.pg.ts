import type { Sql } from '../kernel/sql.ts';
import type { LastOperation } from './operation-port.ts';
import type { ResourceKind } from './operation.ts';

/** What a platform reads: past its deadline an unfinished operation reads failed, though a deletion goes on (operations never give up revocation). */
const lastOperation = {
  name: 'operation_last',
  text: `select kind, description, instance_usable, update_repeatable, finished_at,
      case when state in ('succeeded', 'failed') then state when deadline_at < clock_timestamp() then 'failed' else 'in progress' end as reads,
      state not in ('succeeded', 'failed') as unfinished
    from operation where resource_kind = $1 and resource_id = $2 and kind in ('provision', 'update', 'deprovision', 'bind', 'unbind')
    order by (id::text = $3) desc nulls last, created_at desc limit 1`,
};
interface LastRow {
  readonly kind: LastOperation['kind'];
  readonly description: string;
  readonly instance_usable: boolean | null;
  readonly update_repeatable: boolean | null;
  readonly finished_at: Date | null;
  readonly reads: LastOperation['state'];
  readonly unfinished: boolean;
}
const describe = (row: LastRow): string => {
  if (!row.unfinished) return row.description;
  return row.reads === 'failed' ? 'not done within the time that the plan allows; the broker goes on cleaning up' : '';
};

export async function pgLastOperation(
  sql: Sql,
  kind: ResourceKind,
  resourceId: string,
  operationId: string | null,
): Promise<LastOperation | undefined> {
  const { rows } = await sql.run<LastRow>(lastOperation, [kind, resourceId, operationId]);
  const row = rows[0];
  if (row === undefined) return undefined;
  const { instance_usable: instanceUsable, update_repeatable: updateRepeatable, finished_at: finishedAt } = row;
  return { state: row.reads, description: describe(row), kind: row.kind, instanceUsable, updateRepeatable, finishedAt };
}
