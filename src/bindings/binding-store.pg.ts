import type { CredentialKind } from '../catalog/offering.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Sql } from '../kernel/sql.ts';
import type { Consumer } from '../mesh/consumer.ts';
import type { Exposure } from '../mesh/contribution.ts';
import { acceptedColumns, acceptedRows, acceptor } from '../operations/accept.pg.ts';
import { pgOperationStore } from '../operations/operation-store.pg.ts';
import type { BindingStore, FoundBinding, NewBinding } from './binding-store.ts';
import type { BindingState, ServiceBinding } from './binding.ts';

interface BindingRow {
  readonly id: string;
  readonly platform_id: string;
  readonly instance_uuid: string;
  readonly binding_id: string;
  readonly ref: string;
  readonly life: number;
  readonly lineage_id: string;
  readonly predecessor_binding_id: string | null;
  readonly state: BindingState;
  readonly plan_id: string;
  readonly context: JsonObject;
  readonly bind_resource: JsonObject;
  readonly parameters: JsonObject;
  readonly request_hash: string;
  readonly consumer: Consumer;
  readonly consumer_name: string;
  readonly principal: string;
  readonly credential_kind: CredentialKind;
  readonly csr_pem: string | null;
  readonly exposure: Exposure;
  readonly life_seconds: number | null;
  readonly expires_at: Date | null;
  readonly renew_before: Date | null;
  readonly overdue: boolean;
}
const fromRow = (row: BindingRow): ServiceBinding => ({
  uuid: row.id,
  platformId: row.platform_id,
  instanceUuid: row.instance_uuid,
  bindingId: row.binding_id,
  ref: row.ref,
  life: row.life,
  lineageId: row.lineage_id,
  predecessorBindingId: row.predecessor_binding_id,
  state: row.state,
  planId: row.plan_id,
  context: row.context,
  bindResource: row.bind_resource,
  parameters: row.parameters,
  requestHash: row.request_hash,
  consumer: row.consumer,
  consumerName: row.consumer_name,
  principal: row.principal,
  credentialKind: row.credential_kind,
  csrPem: row.csr_pem,
  exposure: row.exposure,
  lifeSeconds: row.life_seconds,
  expiresAt: row.expires_at,
  renewBefore: row.renew_before,
  overdue: row.overdue,
});
const columns = '*, coalesce(expires_at <= clock_timestamp(), false) as overdue';

/**
 * One statement of all that wait, in the order of their ids; the instances' rows are share-locked, so that no binding is born on an
 * instance that is being deleted (I24).
 */
const accept = {
  name: 'binding_accept',
  text: `with item as materialized (
    select * from json_to_recordset($1::json) as item (id uuid, platform_id uuid, instance_ref text, snapshot_hash text, binding_id text, ref text, life int,
      lineage_id uuid, predecessor_id uuid, predecessor_binding_id text, plan_id text, context jsonb, bind_resource jsonb, parameters jsonb,
      request_hash text, consumer jsonb, consumer_name text, principal text, credential_kind text, csr_pem text, life_seconds int,
      ${acceptedColumns})
  ), bindable as materialized (
    select item.id, instance_uuid from (select * from item order by instance_ref) item cross join lateral (
      select i.id as instance_uuid from service_instance i
        where i.ref = item.instance_ref and i.state = 'ready' and i.plan_id = item.plan_id and i.snapshot_hash = item.snapshot_hash
        for share) instance
  ), accepted as (
    insert into service_binding (id, platform_id, instance_uuid, binding_id, ref, life, lineage_id, predecessor_id, predecessor_binding_id,
        state, plan_id, context, bind_resource, parameters, request_hash, consumer, consumer_name, principal, credential_kind, csr_pem, life_seconds)
      select id, platform_id, instance_uuid, binding_id, ref, life, lineage_id, predecessor_id, predecessor_binding_id, 'binding', plan_id,
          context, bind_resource, parameters, request_hash, consumer, consumer_name, principal, credential_kind, csr_pem, life_seconds
        from item join bindable using (id)
        where life > all (select s.life from service_binding s where s.platform_id = item.platform_id and s.binding_id = item.binding_id)
        order by platform_id, binding_id
      on conflict do nothing returning id
  ), ${acceptedRows('bind', 'binding')}`,
};
const columnsOf = (b: NewBinding): Readonly<Record<string, unknown>> => ({
  id: b.uuid,
  platform_id: b.platformId,
  instance_ref: b.instanceRef,
  snapshot_hash: b.snapshotHash,
  binding_id: b.bindingId,
  ref: b.ref,
  life: b.life,
  lineage_id: b.lineageId,
  predecessor_id: b.predecessorUuid,
  predecessor_binding_id: b.predecessorBindingId,
  plan_id: b.planId,
  context: b.context,
  bind_resource: b.bindResource,
  parameters: b.parameters,
  request_hash: b.requestHash,
  consumer: b.consumer,
  consumer_name: b.consumerName,
  principal: b.principal,
  credential_kind: b.credentialKind,
  csr_pem: b.csrPem,
  life_seconds: b.lifeSeconds,
});
const find = {
  name: 'binding_find',
  text: `select ${columns} from service_binding where platform_id = $1 and binding_id = $2 order by life desc limit 1`,
};
const byUuid = { name: 'binding_by_uuid', text: `select ${columns} from service_binding where id = $1` };
const byRef = { name: 'binding_by_ref', text: `select ${columns} from service_binding where ref = $1` };
const setState = {
  name: 'binding_set_state',
  text: `update service_binding set state = $2, gone_at = case when $2 = 'gone' then clock_timestamp() end where id = $1`,
};
const begin = {
  name: 'binding_begin',
  text: `update service_binding b set state = 'ready', ready_at = now.at, expires_at = stop.at, renew_before = now.at + (stop.at - now.at) * 2 / 3
    from (select clock_timestamp() as at) now,
      lateral (select least(expires_at, now.at + make_interval(secs => life_seconds)) as at from service_binding where id = $1) stop
    where b.id = $1`,
};
const due = `select ${columns} from service_binding where state = 'ready' and expires_at <= clock_timestamp() order by expires_at limit $1`;

export function pgBindingStore(sql: Sql): BindingStore {
  const operations = pgOperationStore(sql);
  const one = async (
    statement: { name: string; text: string } | string,
    values: readonly unknown[],
  ): Promise<ServiceBinding | undefined> => {
    const row = (await sql.run<BindingRow>(statement, values)).rows[0];
    return row === undefined ? undefined : fromRow(row);
  };
  const withOperation = async (binding: ServiceBinding | undefined): Promise<FoundBinding | undefined> =>
    binding === undefined ? undefined : { binding, operation: await operations.unfinished('binding', binding.uuid) };
  return {
    find: async (platformId, bindingId) => withOperation(await one(find, [platformId, bindingId])),
    byUuid: (uuid) => one(byUuid, [uuid]),
    byRef: (ref) => one(byRef, [ref]),
    accept: acceptor(sql, accept, columnsOf),
    lock: async (uuid) => withOperation(await one(`${byUuid.text} for update`, [uuid])),
    async setState(uuid, state) {
      await sql.run(setState, [uuid, state]);
    },
    async bound(uuid, notAfter) {
      await sql.run('update service_binding set expires_at = $2 where id = $1', [uuid, notAfter]);
    },
    async begin(uuid) {
      await sql.run(begin, [uuid]);
    },
    async due(limit) {
      return (await sql.run<BindingRow>(due, [limit])).rows.map(fromRow);
    },
  };
}
