import { pgAuditLog } from '../audit/audit-log.pg.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import type { BindingLine, InstanceLine, Inventory, OperationLine } from './inventory-port.ts';
import { pgOperationStore } from './operation-store.pg.ts';
import { defaultPollingSeconds } from './operation.ts';
import type { OperationRunner } from './operation-runner.ts';

/** Pages are keyed by (created_at, id): `after` is the last ref or id of the page before. */
const instanceColumns = `i.ref, i.instance_id as "instanceId", p.name as platform, i.state, i.offering_name as offering, s.snapshot->>'planName' as plan,
  i.plan_id as "planId", i.service_offering_id as "serviceId", i.organization_guid as "organizationGuid", i.space_guid as "spaceGuid",
  i.created_at as "createdAt", i.ready_at as "readyAt"`;
const instances = {
  name: 'inventory_instances',
  text: `select ${instanceColumns} from service_instance i join platform p on p.id = i.platform_id join plan_snapshot s on s.hash = i.snapshot_hash
    where ($1::uuid is null or i.platform_id = $1) and case when $2::text is null then i.state <> 'gone' else i.state = $2 end
      and ($3::text is null or (i.created_at, i.id) < (select created_at, id from service_instance where ref = $3))
    order by i.created_at desc, i.id desc limit $4`,
};
const bindingColumns = `b.ref, b.binding_id as "bindingId", i.ref as "instanceRef", i.instance_id as "instanceId", p.name as platform, b.state, b.exposure,
  i.offering_name as offering, s.snapshot->>'planName' as plan, b.consumer_name as consumer, b.consumer->>'kind' as "consumerKind", b.principal,
  b.lineage_id as "lineageId", b.created_at as "createdAt", b.expires_at as "expiresAt", b.renew_before as "renewBefore",
  b.state = 'ready' and b.expires_at is not null and b.renew_before <= clock_timestamp() as "renewalDue"`;
const bindingTables = `service_binding b join service_instance i on i.id = b.instance_uuid join platform p on p.id = b.platform_id
  join plan_snapshot s on s.hash = i.snapshot_hash`;
const bindings = {
  name: 'inventory_bindings',
  text: `select ${bindingColumns} from ${bindingTables}
    where ($1::uuid is null or b.platform_id = $1) and case when $2::text is null then b.state <> 'gone' else b.state = $2 end
      and ($3::text is null or (b.created_at, b.id) < (select created_at, id from service_binding where ref = $3))
      and ($5::text is null or b.consumer_name = $5) and ($6::timestamptz is null or b.expires_at < $6) and ($7::text is null or i.ref = $7)
    order by b.created_at desc, b.id desc limit $4`,
};
const operationColumns = `o.id, p.name as platform, o.resource_kind as "resourceKind",
  coalesce(i.ref, b.ref, o.resource_id) as resource, o.kind, o.state, o.step, o.attempts, o.description,
  case when o.state <> 'succeeded' then o.last_error end as "lastError",
  o.created_at as "createdAt", o.finished_at as "finishedAt", o.next_run_at as "nextRunAt"`;
const operationTables = `operation o left join platform p on p.id = o.platform_id
  left join service_instance i on o.resource_kind = 'instance' and i.id::text = o.resource_id
  left join service_binding b on o.resource_kind = 'binding' and b.id::text = o.resource_id`;
const operations = {
  name: 'inventory_operations',
  text: `select ${operationColumns} from ${operationTables}
    where ($1::uuid is null or o.platform_id = $1) and ($2::text is null or o.state = $2)
      and ($3::uuid is null or (o.created_at, o.id) < (select created_at, id from operation where id = $3))
      and (not $5 or o.state not in ('succeeded', 'failed'))
    order by o.created_at desc, o.id desc limit $4`,
};
const wrongCursor = (): BrokerError =>
  new BrokerError('bad-request', 'after (query): take `next` of the page before; where its line is forgotten by now, begin again', {
    field: 'after',
  });
/** After a cursor that names nothing an empty page would look like the end of the list. */
async function checkCursor(
  sql: Sql,
  table: 'service_instance' | 'service_binding' | 'operation',
  platformId: string | null,
  after: string | null,
): Promise<void> {
  if (after === null) return;
  const key = table === 'operation' ? 'id = $1::uuid' : 'ref = $1';
  const { count } = await sql.run(`select 1 from ${table} where ${key} and ($2::uuid is null or platform_id = $2)`, [after, platformId]);
  if (count === 0) throw wrongCursor();
}
const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export function pgInventory(db: SqlDatabase, runner: OperationRunner, random: Random): Inventory {
  const operation = async (id: string): Promise<OperationLine> => {
    const { rows } = isUuid(id)
      ? await db.run<OperationLine>(`select ${operationColumns} from ${operationTables} where o.id = $1`, [id])
      : { rows: [] };
    if (rows[0] === undefined) throw new BrokerError('not-found', 'no operation with this id');
    return rows[0];
  };
  return {
    async instances({ platformId, state, after, limit }) {
      const { rows } = await db.run<InstanceLine>(instances, [platformId, state, after, limit]);
      if (rows.length === 0) await checkCursor(db, 'service_instance', platformId, after);
      return rows;
    },
    async bindings({ platformId, state, after, limit, consumer, expiresBefore, instanceRef }) {
      const { rows } = await db.run<BindingLine>(bindings, [platformId, state, after, limit, consumer, expiresBefore, instanceRef]);
      if (rows.length === 0) await checkCursor(db, 'service_binding', platformId, after);
      return rows;
    },
    async binding(ref, platformId) {
      const statement = `select ${bindingColumns} from ${bindingTables} where b.ref = $1 and ($2::uuid is null or b.platform_id = $2)`;
      return (await db.run<BindingLine>(statement, [ref, platformId])).rows[0];
    },
    async operations({ platformId, state, after, limit, unfinished }) {
      if (after !== null && !isUuid(after)) throw wrongCursor();
      const { rows } = await db.run<OperationLine>(operations, [platformId, state, after, limit, unfinished]);
      if (rows.length === 0) await checkCursor(db, 'operation', platformId, after);
      return rows;
    },
    async retryOperation(id, actor) {
      const line = await operation(id);
      if (line.finishedAt !== null) throw new BrokerError('conflict', `the operation has ${line.state}: there is nothing to run again`);
      await db.transaction(async (tx) => {
        await pgOperationStore(tx).hurry(id, defaultPollingSeconds);
        await audit(tx, actor, 'operation.retry', line.resource, { operation: id });
      });
      runner.wake();
      return operation(id);
    },
    async releaseGuard(offering, actor) {
      const id = random.uuid();
      await db.transaction((tx) => acceptRelease(tx, id, offering, actor));
      runner.wake();
      return operation(id);
    },
  };
}

async function acceptRelease(tx: Sql, id: string, offering: string, actor: string): Promise<void> {
  const { rows } = await tx.run<{ id: string; name: string }>('select id, name from service_offering where id = $1 or name = $1', [
    offering,
  ]);
  const found = rows[0];
  if (found === undefined) throw new BrokerError('not-found', `no service offering "${offering}"`);
  const live = await tx.run(`select 1 from service_instance where service_offering_id = $1 and state <> 'gone' limit 1`, [found.id]);
  if (live.count > 0) throw new BrokerError('conflict', `"${found.name}" has live instances: deprovision them first`);
  const store = pgOperationStore(tx);
  if ((await store.unfinished('offering', found.id)) !== undefined)
    throw new BrokerError('conflict', `the guard of "${found.name}" is being released already`);
  const guard = await tx.run('select 1 from mesh_guard where offering_id = $1', [found.id]);
  if (guard.count === 0)
    throw new BrokerError(
      'not-found',
      `"${found.name}" has no guard: it was never ordered, or its guard is released already; nothing is done`,
    );
  const deadlineSeconds = defaultPollingSeconds;
  await store.insert({
    id,
    platformId: null,
    resourceKind: 'offering',
    resourceId: found.id,
    kind: 'guard-release',
    input: {},
    requestHash: '',
    deadlineSeconds,
  });
  await audit(tx, actor, 'guard.release', found.id, { offering: found.name, operation: id });
}

const audit = (tx: Sql, actor: string, action: string, resource: string, detail: Readonly<Record<string, string>>): Promise<void> =>
  pgAuditLog(tx).append({ actor, originatingIdentity: null, requestId: null, action, resource, outcome: 'accepted', detail });
