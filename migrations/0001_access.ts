import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table platform (
  id uuid primary key,
  name text not null constraint platform_name_is_unique unique,
  may_bind_for text[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz
);
comment on table platform is 'An OSB client: sees only its own instances (AMB-39) and binds only for the consumer namespaces it was given (* for all).';

create table access_credential (
  id uuid primary key,
  kind text not null constraint access_credential_kind_is_known check (kind in ('platform', 'admin', 'collector')),
  platform_id uuid references platform (id),
  name text not null,
  digest bytea not null constraint access_credential_digest_is_unique unique,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint access_credential_of_a_platform check ((kind = 'platform') = (platform_id is not null))
);
create index access_credential_by_platform on access_credential (platform_id);
create unique index access_credential_one_live_token_per_name_uq on access_credential (kind, name) where platform_id is null and revoked_at is null;
comment on table access_credential is 'Keyed HMAC-SHA-256 of 256-bit random secrets; the secret itself is shown once and kept nowhere.';
`);
}
