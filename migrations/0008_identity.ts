import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table broker_secret (
  id int primary key default 1 constraint broker_secret_is_one check (id = 1),
  fingerprint text not null,
  recorded_at timestamptz not null default clock_timestamp()
);
comment on table broker_secret is 'Fingerprint of the secret that wraps, keys and derives for this database. A process with another secret does not start.';
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
  created_at timestamptz not null default clock_timestamp(),
  constraint authority_intermediate_has_an_issuer check ((kind = 'intermediate') = (issuer_id is not null))
);
create unique index authority_one_active_uq on authority (kind, trust_domain) where state = 'active';
create index authority_by_issuer on authority (issuer_id) where issuer_id is not null;
comment on table authority is 'The built-in CA of the binding trust domain. Keys are wrapped (AES-256-GCM) by the broker''s secret. Roots are never deleted: the bundle''s sequence counts them.';
create table certificate_holder (
  binding_ref text primary key,
  retired_at timestamptz
);
create index certificate_holder_retired on certificate_holder (retired_at) where retired_at is not null;
comment on table certificate_holder is 'A binding that asked for certificates. Its row is the lock of issue and retire; once retired it never gets another certificate.';
create table certificate (
  serial text primary key,
  binding_ref text not null references certificate_holder (binding_ref),
  spiffe_id text not null,
  public_key bytea not null,
  key_origin text not null constraint certificate_key_origin_is_known check (key_origin in ('csr', 'derived')),
  authority_id uuid not null references authority (id),
  not_before timestamptz not null,
  not_after timestamptz not null,
  state text not null default 'intent' constraint certificate_state_is_known check (state in ('intent', 'issued', 'void', 'retired')),
  leaf bytea,
  created_at timestamptz not null default clock_timestamp(),
  constraint certificate_issued_is_recorded check (state not in ('issued', 'retired') or leaf is not null)
);
create index certificate_by_binding on certificate (binding_ref, created_at);
create unique index certificate_one_intent_uq on certificate (binding_ref) where state = 'intent';
create index certificate_by_end on certificate (not_after);
create index certificate_by_authority on certificate (authority_id);
comment on table certificate is 'Intent first, then the signed leaf. void = may have been signed but was never delivered: denied. Private keys are nowhere.';
`);
}
