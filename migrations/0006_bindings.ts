import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table service_binding (
  id uuid primary key,
  platform_id uuid not null references platform (id),
  instance_uuid uuid not null references service_instance (id),
  binding_id text not null,
  ref text not null,
  life int not null default 0,
  lineage_id uuid not null,
  predecessor_id uuid references service_binding (id),
  predecessor_binding_id text,
  state text not null constraint service_binding_state_is_known
    check (state in ('binding', 'ready', 'expired', 'unbinding', 'failed', 'gone')),
  plan_id text not null,
  context jsonb not null default '{}',
  bind_resource jsonb not null default '{}',
  parameters jsonb not null default '{}',
  request_hash text not null,
  consumer jsonb not null,
  consumer_name text not null,
  principal text not null,
  credential_kind text not null constraint service_binding_credential_kind_is_known check (credential_kind in ('mesh-identity', 'x509-svid')),
  csr_pem text,
  exposure text not null default 'hidden' constraint service_binding_exposure_is_known check (exposure in ('hidden', 'routed', 'granted')),
  life_seconds int,
  expires_at timestamptz,
  renew_before timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  ready_at timestamptz,
  gone_at timestamptz,
  constraint service_binding_gone_grants_nothing check (state <> 'gone' or exposure = 'hidden')
);
create unique index service_binding_one_life_uq on service_binding (platform_id, binding_id) where state <> 'gone';
create unique index service_binding_ref_uq on service_binding (ref);
create index service_binding_by_id on service_binding (platform_id, binding_id, life);
create index service_binding_by_instance on service_binding (instance_uuid) where state <> 'gone';
create index service_binding_by_expiry on service_binding (expires_at) where state = 'ready' and expires_at is not null;
create index service_binding_gone on service_binding (gone_at) where gone_at is not null;
`);
}
