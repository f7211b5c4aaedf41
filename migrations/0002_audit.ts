import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table audit_event (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  originating_identity jsonb,
  request_id text,
  action text not null,
  resource text,
  outcome text not null constraint audit_event_outcome_is_known check (outcome in ('accepted', 'succeeded', 'failed', 'denied')),
  detail jsonb not null default '{}'
);
create index audit_event_by_resource on audit_event (resource, id);
create index audit_event_unwelcome on audit_event (outcome, id) where outcome in ('denied', 'failed');
create index audit_event_by_time on audit_event using brin (at) with (pages_per_range = 32, autosummarize = on);
comment on table audit_event is 'Append-only: who, what, outcome; in the same transaction as each change, and for denials.';
create function audit_event_is_append_only() returns trigger language plpgsql as $$
begin raise exception 'audit_event is append-only'; end $$;
create trigger audit_event_is_append_only before update or delete on audit_event for each statement execute function audit_event_is_append_only();
`);
}
