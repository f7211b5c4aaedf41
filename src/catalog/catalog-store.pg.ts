import type { Sql } from '../kernel/sql.ts';
import type { CatalogStore, PublicationKind } from './catalog-store.ts';
import type { Plan, ServiceOffering } from './offering.ts';

/** JSON text has no line break of its own: cut at them, a long list of it is read in a third of the time that an array or a record set takes. */
const definitions = (parameter: string): string => `string_to_array(${parameter}, e'\n')`;
const upserts: Readonly<Record<PublicationKind, string>> = {
  service_offering: `
    insert into service_offering (id, name, content_hash, definition, present)
    select id, name, content_hash, definition::json, true
      from unnest($1::text[], $2::text[], $3::text[], ${definitions('$4')}) as p (id, name, content_hash, definition)
    on conflict (id) do update
       set name = excluded.name, definition = excluded.definition, content_hash = excluded.content_hash, present = true, updated_at = clock_timestamp()`,
  plan: `
    insert into plan (id, name, content_hash, definition, service_offering_id, position, present)
    select id, name, content_hash, definition::json, service_offering_id, position, true
      from unnest($1::text[], $2::text[], $3::text[], ${definitions('$4')}, $5::text[], $6::int[])
        as p (id, name, content_hash, definition, service_offering_id, position)
    on conflict (id) do update
       set service_offering_id = excluded.service_offering_id, position = excluded.position, name = excluded.name, definition = excluded.definition,
           content_hash = excluded.content_hash, present = true, updated_at = clock_timestamp()`,
};

type Offering = Omit<ServiceOffering, 'plans'>;

export function pgCatalogStore(sql: Sql): CatalogStore {
  return {
    async lock() {
      await sql.run(`select pg_advisory_xact_lock(hashtextextended('meshbroker catalogue', 0))`);
    },
    async presentHashes(kind) {
      const { rows } = await sql.run<{ id: string; hash: string }>(`select id, content_hash as hash from ${kind} where present`);
      return new Map(rows.map(({ id, hash }) => [id, hash]));
    },
    async publish(kind, publications) {
      const columns = [
        publications.map(({ id }) => id),
        publications.map(({ name }) => name),
        publications.map(({ contentHash }) => contentHash),
        publications.map(({ definition }) => definition).join('\n'),
      ];
      const ofPlans = [publications.map(({ serviceOfferingId }) => serviceOfferingId), publications.map(({ position }) => position)];
      await sql.run(upserts[kind], kind === 'plan' ? [...columns, ...ofPlans] : columns);
    },
    async retireAllBut(kind, ids) {
      await sql.run(`update ${kind} set present = false, updated_at = clock_timestamp() where present and id <> all ($1::text[])`, [ids]);
    },
    async retired(presentPlanIds) {
      const { rows } = await sql.run<{ offering: Offering; plan: Plan }>(
        `select o.definition as offering, p.definition as plan
           from plan p join service_offering o on o.id = p.service_offering_id
          where p.id <> all ($1::text[]) order by p.id`,
        [presentPlanIds],
      );
      return rows;
    },
    async withInstances(planIds) {
      if (planIds.length === 0) return new Set();
      const { rows } = await sql.run<{ id: string }>(
        `select p.id from unnest($1::text[]) as p (id)
          where exists (select from service_instance i where i.plan_id = p.id and i.state <> 'gone')`,
        [planIds],
      );
      return new Set(rows.map(({ id }) => id));
    },
    async lastPublished() {
      const { rows } = await sql.run<{ offering: Offering; plans: readonly Plan[] }>(
        `select o.definition as offering, coalesce(json_agg(p.definition order by p.position, p.id) filter (where p.id is not null), '[]') as plans
           from service_offering o
           left join plan p on p.service_offering_id = o.id and p.present
          where o.present group by o.id order by o.name`,
      );
      return rows.map(({ offering, plans }) => ({ ...offering, plans }));
    },
    async revision() {
      const { rows } = await sql.run<{ revision: string }>(
        `select coalesce(max(updated_at)::text, '') || ' ' || count(*) as revision from plan`,
      );
      return rows[0]?.revision ?? '';
    },
  };
}
