import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table service_offering (
  id text primary key,
  name text not null,
  definition json not null,
  content_hash text not null,
  present boolean not null,
  updated_at timestamptz not null default clock_timestamp()
) with (toast_tuple_target = 8160);
-- whole catalogues are written within a second: nothing asks for a part of a definition, and compressing takes as long as the rest
alter table service_offering alter definition set storage external;
comment on table service_offering is 'Every offering ever on the shelf, as last published; present = its source still has it. Never deleted.';
create table plan (
  id text primary key,
  service_offering_id text not null references service_offering (id),
  position int not null,
  name text not null,
  definition json not null,
  content_hash text not null,
  present boolean not null,
  updated_at timestamptz not null default clock_timestamp()
) with (toast_tuple_target = 8160);
alter table plan alter definition set storage external;
create index plan_by_service_offering on plan (service_offering_id);
comment on table plan is 'Every plan ever on the shelf, as last published; position = its place within the offering. Never deleted.';
`);
}
