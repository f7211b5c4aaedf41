import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table authority (
  id uuid primary key,
  kind text not null constraint authority_kind_is_known check (kind in ('root', 'intermediate')),
  trust_domain text not null,
  certificate bytea not null,
  wrapped_key bytea not null,
  issuer_id uuid references authority (id),
  state text not null constraint authority_state_is_known check (state in ('active', 'retired')),
  not_before timestamptz not null,
  not_after timestamptz not null,
  created_at timestamptz not null default clock_timestamp()
);
create unique index authority_one_active_uq on authority (kind, trust_domain) where state = 'active';
comment on table authority is 'The built-in CA of the binding trust domain. Keys are wrapped (AES-256-GCM) by the broker''s secret.';
create table certificate (
  serial text primary key,
  binding_ref text not null,
  spiffe_id text not null,
  public_key bytea not null,
  key_origin text not null constraint certificate_key_origin_is_known check (key_origin in ('csr', 'derived')),
  authority_id uuid not null references authority (id),
  not_before timestamptz not null,
  not_after timestamptz not null,
  state text not null default 'intent' constraint certificate_state_is_known check (state in ('intent', 'issued', 'void', 'retired')),
  leaf bytea,
  created_at timestamptz not null default clock_timestamp(),
  constraint certificate_issued_is_recorded check (state not in ('issued') or leaf is not null)
);
create index certificate_by_binding on certificate (binding_ref);
create index certificate_by_end on certificate (not_after);
comment on table certificate is 'Intent first, then the signed leaf. void = may have been signed but was never delivered: denied.';
create table trust_bundle_sequence (
  trust_domain text primary key,
  sequence bigint not null,
  content_hash text not null
);
`);
}
