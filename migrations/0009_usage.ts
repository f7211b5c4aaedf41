import type { Knex } from 'knex';

export async function up(db: Knex): Promise<void> {
  await db.raw(`
create table usage_meter (
  id smallint primary key generated always as identity,
  key text not null constraint usage_meter_key_is_unique unique,
  unit text not null
);
insert into usage_meter (key, unit) values ('requests', 'request'), ('denied-requests', 'request'), ('limited-requests', 'request'),
  ('request-bytes', 'byte'), ('response-bytes', 'byte'), ('instance-hours', 'hour'), ('binding-hours', 'hour');

create table usage_subject (
  id int primary key generated always as identity,
  key text not null constraint usage_subject_key_is_unique unique,
  attributed boolean not null,
  consumer text not null,
  principal text not null,
  host text not null,
  platform_id uuid,
  organization text not null,
  offering_id text not null,
  offering_name text not null,
  plan_id text not null,
  plan_name text not null,
  instance_ref text not null,
  lineage_id text not null,
  binding_ref text not null
);
comment on table usage_subject is 'Whom usage belongs to: a binding under one plan, or a principal and host that no binding explains. Never changed.';

create table usage_attribution (
  id bigint primary key generated always as identity,
  binding_ref text not null,
  principal text not null,
  hosts text[] not null,
  subject_id int not null references usage_subject (id),
  plan_id text not null,
  valid_from timestamptz not null default clock_timestamp(),
  valid_to timestamptz,
  constraint usage_attribution_ends_after_its_start check (valid_to is null or valid_to >= valid_from)
);
create unique index usage_attribution_one_open_uq on usage_attribution (binding_ref) where valid_to is null;
create index usage_attribution_by_binding on usage_attribution (binding_ref, valid_from);
create index usage_attribution_by_principal on usage_attribution (principal, valid_from);
comment on table usage_attribution is 'Who may have been calling from when to when; events find their subject by it at their own time.';

create table usage_span (
  id bigint primary key generated always as identity,
  owner text not null,
  meter_id smallint not null references usage_meter (id),
  subject_id int not null references usage_subject (id),
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  constraint usage_span_ends_after_its_start check (ended_at is null or ended_at >= started_at)
);
create unique index usage_span_one_open_uq on usage_span (owner) where ended_at is null;
create index usage_span_by_time on usage_span (started_at, ended_at);
comment on table usage_span is 'Lives of instances and bindings: hours are their exact overlap with the question.';

create table usage_batch (
  id bigint primary key generated always as identity,
  source text not null,
  received_at timestamptz not null default clock_timestamp(),
  events int not null,
  rolled boolean not null default false
);
create index usage_batch_unrolled on usage_batch (id) where not rolled;

create table usage_event (
  event_time timestamptz not null,
  dedup uuid not null,
  content bigint not null,
  batch_id bigint not null,
  subject_id int not null,
  meter_id smallint not null,
  quantity bigint not null,
  request_bytes bigint not null,
  response_bytes bigint not null
) partition by range (event_time);
comment on table usage_event is 'Append-only, one leaf for each UTC day. dedup: 16 bytes of sha256(source, id), unique within its leaf.';
create function usage_leaf(day date) returns text language plpgsql as $body$
declare leaf text := 'usage_event_' || to_char(day, 'YYYYMMDD');
begin
  if to_regclass(leaf) is null then
    perform pg_advisory_xact_lock(823004009);
    if to_regclass(leaf) is null then
      execute format('create table %I partition of usage_event for values from (%L) to (%L)', leaf,
        to_char(day, 'YYYY-MM-DD') || ' 00:00+00', to_char(day + 1, 'YYYY-MM-DD') || ' 00:00+00');
      execute format('create unique index on %I (dedup)', leaf);
      execute format('create index on %I using brin (batch_id)', leaf);
    end if;
  end if;
  return leaf;
end $body$;

create table usage_rejected (
  id bigint primary key generated always as identity,
  received_at timestamptz not null default clock_timestamp(),
  source text not null,
  reason text not null,
  event jsonb not null
);
comment on table usage_rejected is 'Events that were not accepted, kept with the reason, so that nothing is lost unseen.';

create table usage_hour (
  hour timestamptz not null,
  subject_id int not null,
  meter_id smallint not null,
  quantity numeric not null,
  primary key (hour, subject_id, meter_id)
) with (fillfactor = 70);
create table usage_day (
  day timestamptz not null,
  subject_id int not null,
  meter_id smallint not null,
  quantity numeric not null,
  primary key (day, subject_id, meter_id)
) with (fillfactor = 70);
comment on table usage_day is 'Sums of rolled batches by UTC day; usage_hour by hour. Each batch is added in the transaction that marks it rolled.';
`);
}
