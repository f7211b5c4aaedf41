import type { AuditEntry } from '../audit/audit.ts';
import { gather } from '../kernel/gather.ts';
import type { Sql, SqlStatement } from '../kernel/sql.ts';
import type { NewOperation } from './operation-store.ts';

/** How many accept statements may be under way, and how many requests one of them takes: few big ones cost the database least. */
const acceptLimits = { atOnce: 2, most: 64 };

/** The columns that every accept statement reads besides its resource's, as `json_to_recordset` takes them. */
export const acceptedColumns = `operation_id uuid, input jsonb, deadline_seconds int, actor text, originating_identity jsonb, audit_request_id text,
    action text, outcome text, detail jsonb`;
const acceptedValues = (operation: NewOperation, audit: AuditEntry): Readonly<Record<string, unknown>> => ({
  operation_id: operation.id,
  input: operation.input,
  deadline_seconds: operation.deadlineSeconds,
  actor: audit.actor,
  originating_identity: audit.originatingIdentity,
  audit_request_id: audit.requestId,
  action: audit.action,
  outcome: audit.outcome,
  detail: audit.detail,
});
/** Operation and audit rows of the resources that the CTE `accepted` made of the CTE `item`. */
export const acceptedRows = (kind: 'provision' | 'bind', resourceKind: 'instance' | 'binding'): string => `operation as (
    insert into operation (id, platform_id, resource_kind, resource_id, kind, input, request_hash, deadline_at)
      select operation_id, platform_id, '${resourceKind}', id::text, '${kind}', input, request_hash,
          clock_timestamp() + make_interval(secs => deadline_seconds) from item join accepted using (id)
  ), audit as (
    insert into audit_event (actor, originating_identity, request_id, action, resource, outcome, detail)
      select actor, originating_identity, audit_request_id, action, ref, outcome, detail from item join accepted using (id)
  ) select id from accepted`;

/**
 * Runs an accept statement for all that wait together, in one round trip and one commit. The statement takes their columns as JSON and
 * returns the ids that it accepted; false: of that resource nothing was written.
 */
export function acceptor<Resource extends { readonly uuid: string }>(
  sql: Sql,
  statement: SqlStatement,
  columnsOf: (resource: Resource) => Readonly<Record<string, unknown>>,
): (resource: Resource, operation: NewOperation, audit: AuditEntry) => Promise<boolean> {
  interface Order {
    readonly resource: Resource;
    readonly operation: NewOperation;
    readonly audit: AuditEntry;
  }
  const accepts = gather(async (orders: readonly Order[]) => {
    const items = orders.map(({ resource, operation, audit }) => ({ ...columnsOf(resource), ...acceptedValues(operation, audit) }));
    const { rows } = await sql.run<{ id: string }>(statement, [JSON.stringify(items)]);
    const accepted = new Set(rows.map(({ id }) => id));
    return orders.map(({ resource }) => accepted.has(resource.uuid));
  }, acceptLimits);
  return (resource, operation, audit) => accepts({ resource, operation, audit });
}
