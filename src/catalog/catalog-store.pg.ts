import type { Sql } from '../kernel/sql.ts';
import type { CatalogStore, Publication, PublicationKind } from './catalog-store.ts';
import type { Plan, ServiceOffering } from './offering.ts';

const upserts: Readonly<Record<PublicationKind, string>> = {
  service_offering: `
    insert into service_offering (id, name, definition, content_hash, present)
    select id, name, definition, content_hash, true
      from jsonb_to_recordset($1::jsonb) as p (id text, name text, definition jsonb, content_hash text)
    on conflict (id) do update
       set name = excluded.name, definition = excluded.definition, content_hash = excluded.content_hash, present = true, updated_at = clock_timestamp()`,
  plan: `
    insert into plan (id, service_offering_id, position, name, definition, content_hash, present)
    select id, service_offering_id, position, name, definition, content_hash, true
      from jsonb_to_recordset($1::jsonb) as p (id text, service_offering_id text, position int, name text, definition jsonb, content_hash text)
    on conflict (id) do update
       set service_offering_id = excluded.service_offering_id, position = excluded.position, name = excluded.name, definition = excluded.definition,
           content_hash = excluded.content_hash, present = true, updated_at = clock_timestamp()`,
};
const toRow = ({ id, name, serviceOfferingId, position, definition, contentHash }: Publication): string =>
  `{"id":${JSON.stringify(id)},"service_offering_id":${JSON.stringify(serviceOfferingId)},"name":${JSON.stringify(name)},` +
  `"position":${position},"content_hash":"${contentHash}","definition":${definition}}`;

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
      await sql.run(upserts[kind], [`[${publications.map(toRow).join(',')}]`]);
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
        `select o.definition as offering, coalesce(jsonb_agg(p.definition order by p.position, p.id) filter (where p.id is not null), '[]') as plans
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
