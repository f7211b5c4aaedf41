import type { JsonObject } from '../kernel/json.ts';
import type { Sql } from '../kernel/sql.ts';
import type { Snapshots } from '../mesh/snapshots.pg.ts';
import { LeaseLost } from '../operations/lease-lost.ts';
import { acceptedColumns, acceptedRows, acceptor } from '../operations/accept.pg.ts';
import { pgOperationStore } from '../operations/operation-store.pg.ts';
import { pgInstanceBindings } from './instance-bindings.pg.ts';
import type { FoundInstance, InstanceStore, NewInstance } from './instance-store.ts';
import type { InstanceState, ServiceInstance } from './instance.ts';

interface InstanceRow {
  readonly id: string;
  readonly platform_id: string;
  readonly instance_id: string;
  readonly ref: string;
  readonly life: number;
  readonly state: InstanceState;
  readonly service_offering_id: string;
  readonly offering_name: string;
  readonly plan_id: string;
  readonly plan_ids: readonly string[];
  readonly snapshot_hash: string;
  readonly organization_guid: string;
  readonly space_guid: string;
  readonly context: JsonObject;
  readonly parameters: JsonObject;
  readonly maintenance_version: string | null;
  readonly request_hash: string;
}
const fromRow = (row: InstanceRow): ServiceInstance => ({
  uuid: row.id,
  platformId: row.platform_id,
  instanceId: row.instance_id,
  ref: row.ref,
  life: row.life,
  state: row.state,
  serviceId: row.service_offering_id,
  offeringName: row.offering_name,
  planId: row.plan_id,
  planIds: row.plan_ids,
  snapshotHash: row.snapshot_hash,
  organizationGuid: row.organization_guid,
  spaceGuid: row.space_guid,
  context: row.context,
  parameters: row.parameters,
  maintenanceVersion: row.maintenance_version,
  requestHash: row.request_hash,
});

/**
 * The accept transaction of all that wait, as one statement: of each either all four rows or none (one round trip, one commit).
 * In the order of their ids, so that two statements never wait for each other.
 */
const accept = {
  name: 'instance_accept',
  text: `with item as materialized (
    select * from json_to_recordset($1::json) as item (id uuid, platform_id uuid, instance_id text, ref text, snapshot_hash text,
      snapshot jsonb, life int, service_offering_id text, offering_name text, plan_id text, organization_guid text, space_guid text,
      context jsonb, parameters jsonb, maintenance_version text, request_hash text, ${acceptedColumns})
  ), snapshot as (
    insert into plan_snapshot (hash, snapshot) select snapshot_hash, snapshot from item where snapshot is not null order by snapshot_hash
      on conflict do nothing
  ), accepted as (
    insert into service_instance (id, platform_id, instance_id, ref, life, state, service_offering_id, offering_name, plan_id, plan_ids,
        snapshot_hash, organization_guid, space_guid, context, parameters, maintenance_version, request_hash)
      select id, platform_id, instance_id, ref, life, 'provisioning', service_offering_id, offering_name, plan_id, array[plan_id],
          snapshot_hash, organization_guid, space_guid, context, parameters, maintenance_version, request_hash
        from item where life > all (select s.life from service_instance s
          where s.platform_id = item.platform_id and s.instance_id = item.instance_id)
        order by platform_id, instance_id
      on conflict do nothing returning id
  ), ${acceptedRows('provision', 'instance')}`,
};
const find = {
  name: 'instance_find',
  text: 'select * from service_instance where platform_id = $1 and instance_id = $2 order by life desc limit 1',
};
const change = {
  name: 'instance_change',
  text: `update service_instance set plan_id = $2, snapshot_hash = $3, parameters = $4, context = $5, maintenance_version = $6,
      plan_ids = case when $2 = any (plan_ids) then plan_ids else array_append(plan_ids, $2) end
    where id = $1 and exists (select 1 from operation where id = $7 and lease_epoch = $8 and state not in ('succeeded', 'failed') for share)`,
};
/** ready_at and gone_at are set with the state that they belong to. */
const setState = {
  name: 'instance_set_state',
  text: `update service_instance set state = $2,
      ready_at = case when $2 = 'ready' then coalesce(ready_at, clock_timestamp()) else ready_at end,
      gone_at = case when $2 = 'gone' then clock_timestamp() end
    where id = $1`,
};
const columnsOf = (i: NewInstance, knownSnapshots: ReadonlySet<string>): Readonly<Record<string, unknown>> => ({
  id: i.uuid,
  platform_id: i.platformId,
  instance_id: i.instanceId,
  ref: i.ref,
  snapshot_hash: i.snapshot.hash,
  snapshot: knownSnapshots.has(i.snapshot.hash) ? null : i.snapshot.snapshot,
  life: i.life,
  service_offering_id: i.serviceId,
  offering_name: i.offeringName,
  plan_id: i.planId,
  organization_guid: i.organizationGuid,
  space_guid: i.spaceGuid,
  context: i.context,
  parameters: i.parameters,
  maintenance_version: i.maintenanceVersion,
  request_hash: i.requestHash,
});

export function pgInstanceStore(sql: Sql, snapshots: Snapshots): InstanceStore {
  const operations = pgOperationStore(sql);
  const knownSnapshots = new Set<string>(); // they are never deleted
  const accepts = acceptor(sql, accept, (instance: NewInstance) => columnsOf(instance, knownSnapshots));
  const newest = async (platformId: string, instanceId: string): Promise<InstanceRow | undefined> =>
    (await sql.run<InstanceRow>(find, [platformId, instanceId])).rows[0];
  const withOperation = async (row: InstanceRow | undefined): Promise<FoundInstance | undefined> =>
    row === undefined ? undefined : { instance: fromRow(row), operation: await operations.unfinished('instance', row.id) };
  return {
    find: async (platformId, instanceId) => withOperation(await newest(platformId, instanceId)),
    async newest(platformId, instanceId) {
      const row = await newest(platformId, instanceId);
      return row === undefined ? undefined : fromRow(row);
    },
    async byUuid(uuid) {
      const row = (await sql.run<InstanceRow>('select * from service_instance where id = $1', [uuid])).rows[0];
      return row === undefined ? undefined : fromRow(row);
    },
    async accept(instance, operation, audit) {
      const accepted = await accepts(instance, operation, audit);
      knownSnapshots.add(instance.snapshot.hash);
      return accepted;
    },
    async lock(uuid) {
      return withOperation((await sql.run<InstanceRow>('select * from service_instance where id = $1 for update', [uuid])).rows[0]);
    },
    async setState(uuid, state) {
      await sql.run(setState, [uuid, state]);
    },
    async saveSnapshot({ hash, snapshot }) {
      await sql.run('insert into plan_snapshot (hash, snapshot) values ($1, $2) on conflict do nothing', [hash, JSON.stringify(snapshot)]);
    },
    async snapshot(hash) {
      return (await snapshots(sql, [hash])).get(hash);
    },
    async change(uuid, values, fence) {
      const { planId, snapshotHash, maintenanceVersion } = values;
      const json = [JSON.stringify(values.parameters), JSON.stringify(values.context)];
      const { count } = await sql.run(change, [uuid, planId, snapshotHash, ...json, maintenanceVersion, fence.operationId, fence.epoch]);
      if (count !== 1) throw new LeaseLost(fence.operationId);
    },
    ...pgInstanceBindings(sql),
  };
}
