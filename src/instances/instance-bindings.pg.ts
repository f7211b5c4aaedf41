import type { Sql } from '../kernel/sql.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { Exposure } from '../mesh/contribution.ts';
import type { InstanceStore } from './instance-store.ts';

const live = `instance_uuid = $1 and state <> 'gone'`;

/** What an instance does to all its bindings at once. */
export function pgInstanceBindings(
  sql: Sql,
): Pick<InstanceStore, 'liveBindings' | 'boundKinds' | 'closeBindings' | 'reopenBindings' | 'markBindingsGone'> {
  return {
    async liveBindings(uuid) {
      const { rows } = await sql.run<{ id: string; ref: string; exposure: Exposure }>(
        `select id, ref, exposure from service_binding where ${live} order by ref`,
        [uuid],
      );
      return rows.map(({ id, ref, exposure }) => ({ uuid: id, ref, exposure }));
    },
    async boundKinds(uuid) {
      const { rows } = await sql.run<{ kind: ConsumerKind }>(
        `select distinct consumer->>'kind' as kind from service_binding where ${live} and state <> 'failed'`,
        [uuid],
      );
      return rows.map(({ kind }) => kind);
    },
    async closeBindings(uuid) {
      await sql.run(
        `update operation set state = 'failed', description = 'cancelled: the instance was deleted', lease_epoch = lease_epoch + 1,
            finished_at = clock_timestamp(), lease_owner = null, lease_until = null
          where resource_kind = 'binding' and state not in ('succeeded', 'failed')
            and resource_id in (select id::text from service_binding where ${live})`,
        [uuid],
      );
      await sql.run(`update service_binding set state = 'unbinding' where ${live}`, [uuid]);
    },
    async reopenBindings(uuid) {
      await sql.run(
        `update service_binding set state = case when ready_at is null then 'failed' when expires_at < clock_timestamp() then 'expired' else 'ready' end
          where ${live} and state = 'unbinding'`,
        [uuid],
      );
    },
    async markBindingsGone(uuid) {
      await sql.run(`update service_binding set state = 'gone', gone_at = clock_timestamp() where ${live}`, [uuid]);
    },
  };
}
