import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table mesh_scope (
  scope text primary key,
  revision bigint not null default 0,
  objects_hash text not null default '',
  object_ids jsonb not null default '[]',
  settled_revision bigint not null default 0,
  changed_by text not null default '',
  updated_at timestamptz not null default clock_timestamp()
);
comment on table mesh_scope is 'A set of mesh objects compiled as a whole. Its row is the lock; revision only rises and is kept when the objects are gone.';
create index mesh_scope_unsettled on mesh_scope (changed_by) where settled_revision < revision;
create table mesh_member (
  scope text not null,
  binding_ref text not null,
  primary key (scope, binding_ref)
);
create index mesh_member_by_binding on mesh_member (binding_ref);
create table mesh_guard (
  offering_id text primary key,
  definition jsonb not null,
  updated_at timestamptz not null default clock_timestamp()
);
comment on table mesh_guard is 'Offerings whose workloads are closed by us. Kept when the last instance goes: a deprovision never opens a service.';
`);
}
