import { tellCleaned, type BackgroundTask, type CleanUpObserver } from '../kernel/background.ts';
import { point } from '../kernel/points.ts';
import type { SqlDatabase } from '../kernel/sql.ts';

export interface Keep {
  readonly tombstoneHours: number;
  readonly operationDays: number;
}
const everyMs = 60_000;
const batch = 500;

/** $1: interval; $2: rows at once. */
const statements = {
  /**
   * A binding's reference is used again with its id: not while a certificate in that name may still be valid (its holder is kept
   * until then), and a predecessor is kept as long as its successor.
   */
  bindings: `
delete from service_binding where id in (
  select b.id from service_binding b
   where b.state = 'gone' and b.gone_at < clock_timestamp() - $1::interval
     and not exists (select 1 from certificate_holder h where h.binding_ref = b.ref)
     and not exists (select 1 from service_binding s where s.predecessor_id = b.id)
   order by b.gone_at limit $2 for update skip locked)`,
  instances: `
delete from service_instance where id in (
  select i.id from service_instance i
   where i.state = 'gone' and i.gone_at < clock_timestamp() - $1::interval
     and not exists (select 1 from service_binding b where b.instance_uuid = i.id)
   order by i.gone_at limit $2 for update skip locked)`,
  /** The last operation of what still exists is kept: it answers last_operation. */
  operations: `
delete from operation where id in (
  select o.id from operation o
   where o.finished_at < clock_timestamp() - $1::interval
     and (exists (select 1 from operation n
                   where n.resource_kind = o.resource_kind and n.resource_id = o.resource_id and n.created_at > o.created_at)
       or not exists (select 1 from service_instance i where i.id::text = o.resource_id)
      and not exists (select 1 from service_binding b where b.id::text = o.resource_id))
   order by o.finished_at limit $2)`,
};

/** Deletes, batch by batch, what nobody may ask for any more. Until a batch is committed its tombstones count. */
export function cleanUpTasks(database: SqlDatabase, keep: Keep, observer: CleanUpObserver): readonly BackgroundTask[] {
  const task = (what: keyof typeof statements, kept: string): BackgroundTask => ({
    name: `clean-up-${what}`,
    everyMs,
    async activate() {
      const count = await database.transaction(async (tx) => {
        const deleted = (await tx.run(statements[what], [kept, batch])).count;
        if (deleted > 0) await point('D5');
        return deleted;
      });
      tellCleaned(observer, { [what]: count });
      return count === batch;
    },
  });
  const tombstones = `${Math.max(72, keep.tombstoneHours)} hours`;
  return [task('bindings', tombstones), task('instances', tombstones), task('operations', `${keep.operationDays} days`)];
}
