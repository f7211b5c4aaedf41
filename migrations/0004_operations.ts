import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table operation (
  id uuid primary key,
  platform_id uuid references platform (id),
  resource_kind text not null constraint operation_resource_kind_is_known check (resource_kind in ('instance', 'binding', 'offering')),
  resource_id text not null,
  kind text not null constraint operation_kind_is_known
    check (kind in ('provision', 'update', 'deprovision', 'bind', 'unbind', 'expire', 'guard-release')),
  state text not null default 'pending' constraint operation_state_is_known
    check (state in ('pending', 'running', 'undoing', 'quarantined', 'succeeded', 'failed')),
  step text not null default '',
  undoing boolean not null default false,
  attempts int not null default 0,
  input jsonb not null default '{}',
  request_hash text not null default '',
  description text not null default '',
  last_error text,
  error_code text,
  instance_usable boolean,
  update_repeatable boolean,
  next_run_at timestamptz not null default clock_timestamp(),
  lease_owner text,
  lease_epoch bigint not null default 0,
  lease_until timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  deadline_at timestamptz not null,
  constraint operation_final_has_an_end check ((state in ('succeeded', 'failed')) = (finished_at is not null))
);
create unique index operation_one_unfinished_per_resource_uq on operation (resource_kind, resource_id)
  where state not in ('succeeded', 'failed');
create index operation_due on operation (next_run_at) where state not in ('succeeded', 'failed');
create index operation_by_resource on operation (resource_kind, resource_id, created_at);
create index operation_finished on operation (finished_at) where finished_at is not null;
comment on table operation is 'At once the answer to last_operation, the lock of its resource (one unfinished per resource) and the job (lease, epoch).';
`);
}
