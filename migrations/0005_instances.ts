import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table plan_snapshot (
  hash text primary key,
  snapshot jsonb not null
);
comment on table plan_snapshot is 'Offering and plan as ordered: what the mesh objects of an instance are compiled from. Immutable.';

create table service_instance (
  id uuid primary key,
  platform_id uuid not null references platform (id),
  instance_id text not null,
  ref text not null,
  life int not null default 0,
  state text not null constraint service_instance_state_is_known
    check (state in ('provisioning', 'ready', 'updating', 'deprovisioning', 'failed', 'gone')),
  service_offering_id text not null,
  offering_name text not null,
  plan_id text not null,
  plan_ids text[] not null,
  snapshot_hash text not null references plan_snapshot (hash),
  organization_guid text not null,
  space_guid text not null,
  context jsonb not null default '{}',
  parameters jsonb not null default '{}',
  maintenance_version text,
  request_hash text not null,
  created_at timestamptz not null default clock_timestamp(),
  ready_at timestamptz,
  gone_at timestamptz
);
create unique index service_instance_one_life_uq on service_instance (platform_id, instance_id) where state <> 'gone';
create unique index service_instance_ref_uq on service_instance (ref);
create index service_instance_by_id on service_instance (platform_id, instance_id, life);
create index service_instance_by_plan on service_instance (plan_id) where state <> 'gone';
create index service_instance_gone on service_instance (gone_at) where gone_at is not null;
comment on table service_instance is 'A gone row is its tombstone: kept 72 h at least, so that last_operation and DELETE answer truly (AMB-03).';
`);
}
