import type { ErrorCode } from '../kernel/errors.ts';
import type { Sql } from '../kernel/sql.ts';
import { LeaseLost } from './lease-lost.ts';
import { pgLastOperation } from './last-operation.pg.ts';
import type { OperationStore } from './operation-store.ts';
import type { Operation, OperationKind, OperationState, ResourceKind } from './operation.ts';

/** Long enough for a slow step's heartbeat (every 3 s), short enough that a dead worker's operation goes on soon. */
const leaseSeconds = 10;
const final = `('succeeded', 'failed')`;
const columns = '*, deadline_at < clock_timestamp() as overdue';

interface OperationRow {
  readonly id: string;
  readonly platform_id: string | null;
  readonly resource_kind: ResourceKind;
  readonly resource_id: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  readonly step: string;
  readonly undoing: boolean;
  readonly attempts: number;
  readonly lease_epoch: number;
  readonly input: Record<string, unknown>;
  readonly request_hash: string;
  readonly description: string;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly deadline_at: Date;
  readonly overdue: boolean;
  readonly error_code: ErrorCode | null;
  readonly instance_usable: boolean | null;
  readonly update_repeatable: boolean | null;
}
const fromRow = (row: OperationRow): Operation => ({
  id: row.id,
  platformId: row.platform_id,
  resourceKind: row.resource_kind,
  resourceId: row.resource_id,
  kind: row.kind,
  state: row.state,
  step: row.step,
  undoing: row.undoing,
  attempts: row.attempts,
  epoch: row.lease_epoch,
  input: row.input,
  requestHash: row.request_hash,
  description: row.description,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
  deadlineAt: row.deadline_at,
  overdue: row.overdue,
  errorCode: row.error_code,
  instanceUsable: row.instance_usable,
  updateRepeatable: row.update_repeatable,
});

const claimSet = `set state = case when undoing then 'undoing' else 'running' end,
  lease_owner = $1, lease_epoch = lease_epoch + 1, lease_until = clock_timestamp() + interval '${leaseSeconds} seconds',
  attempts = attempts + 1, started_at = coalesce(started_at, clock_timestamp())`;
const insert = {
  name: 'operation_insert',
  text: `insert into operation (id, platform_id, resource_kind, resource_id, kind, input, request_hash, deadline_at)
    values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8))`,
};
const claimDue = {
  name: 'operation_claim_due',
  text: `update operation ${claimSet} where id in (
    select id from operation where state not in ${final} and next_run_at <= clock_timestamp()
      and (lease_until is null or lease_until < clock_timestamp())
    order by next_run_at limit $2 for update skip locked) returning ${columns}`,
};
const claimOne = {
  name: 'operation_claim_one',
  text: `update operation ${claimSet} where id = (
    select id from operation where id = $2 and state not in ${final} and (lease_until is null or lease_until < clock_timestamp())
    for update skip locked) returning ${columns}`,
};
const heartbeat = {
  name: 'operation_heartbeat',
  text: `update operation o set lease_until = clock_timestamp() + interval '${leaseSeconds} seconds'
    from unnest($1::uuid[], $2::bigint[]) as held (id, epoch)
    where o.id = held.id and o.lease_epoch = held.epoch and o.state not in ${final} returning o.id`,
};
const postpone = {
  name: 'operation_postpone',
  text: `update operation set state = $3, step = $4, last_error = $5, next_run_at = clock_timestamp() + make_interval(secs => $6),
      lease_owner = null, lease_until = null
    where id = $1 and lease_epoch = $2 and state not in ${final}`,
};
const turnRound = `update operation set state = 'undoing', undoing = true, attempts = 0, description = $3, last_error = $3, error_code = $4,
    next_run_at = clock_timestamp(), lease_owner = null, lease_until = null where id = $1 and lease_epoch = $2 and state not in ${final}`;
const supersede = `update operation set state = 'failed', description = $2, lease_epoch = lease_epoch + 1, finished_at = clock_timestamp(),
    lease_owner = null, lease_until = null where id = $1 and state not in ${final}`;
const giveUp = `update operation set state = 'undoing', undoing = true, attempts = 0, description = $2, error_code = 'timed-out',
    lease_epoch = lease_epoch + 1, next_run_at = clock_timestamp(), lease_owner = null, lease_until = null
  where id = $1 and state not in ${final} and not undoing`;
const hurry = `update operation set next_run_at = least(next_run_at, clock_timestamp()), attempts = 0,
    deadline_at = greatest(deadline_at, clock_timestamp() + make_interval(secs => $2)) where id = $1 and state not in ${final}`;
const release = `update operation set lease_owner = null, lease_until = null, lease_epoch = lease_epoch + 1
  where lease_owner = $1 and state not in ${final}`;
const finish = {
  name: 'operation_finish',
  text: `update operation set state = $3, description = $4, instance_usable = $5, update_repeatable = $6, step = '',
      finished_at = clock_timestamp(), lease_owner = null, lease_until = null
    where id = $1 and lease_epoch = $2 and state not in ${final}
    returning case resource_kind when 'instance' then (select ref from service_instance where id = resource_id::uuid)
      when 'binding' then (select ref from service_binding where id = resource_id::uuid) else resource_id end as resource`,
};
export function pgOperationStore(sql: Sql): OperationStore {
  const one = async (statement: { name: string; text: string } | string, values: readonly unknown[]): Promise<Operation | undefined> => {
    const { rows } = await sql.run<OperationRow>(statement, values);
    return rows[0] === undefined ? undefined : fromRow(rows[0]);
  };
  return {
    async insert(o) {
      const values = [o.id, o.platformId, o.resourceKind, o.resourceId, o.kind, JSON.stringify(o.input), o.requestHash, o.deadlineSeconds];
      await sql.run(insert, values);
    },
    byId: (id) => one(`select ${columns} from operation where id = $1`, [id]),
    unfinished: (kind, id) =>
      one(`select ${columns} from operation where resource_kind = $1 and resource_id = $2 and state not in ${final}`, [kind, id]),
    async claimDue(owner, limit) {
      const { rows } = await sql.run<OperationRow>(claimDue, [owner, limit]);
      return rows.map(fromRow);
    },
    claim: (id, owner) => one(claimOne, [owner, id]),
    async heartbeat(leases) {
      const { rows } = await sql.run<{ id: string }>(heartbeat, [leases.map((l) => l.id), leases.map((l) => l.epoch)]);
      return rows.map((row) => row.id);
    },
    async postpone(lease, delayMs, to) {
      const { count } = await sql.run(postpone, [lease.id, lease.epoch, to.state, to.step, to.error, delayMs / 1000]);
      return count === 1;
    },
    async turnRound(lease, reason, code) {
      const { count } = await sql.run(turnRound, [lease.id, lease.epoch, reason, code]);
      return count === 1;
    },
    async finish(lease, outcome) {
      const values = [lease.id, lease.epoch, outcome.state, outcome.description, outcome.instanceUsable, outcome.updateRepeatable];
      const finished = (await sql.run<{ resource: string }>(finish, values)).rows[0];
      if (finished === undefined) throw new LeaseLost(lease.id);
      return finished.resource;
    },
    async supersede(id, reason) {
      await sql.run(supersede, [id, reason]);
    },
    async giveUp(id, reason) {
      await sql.run(giveUp, [id, reason]);
    },
    async hurry(id, deadlineSeconds) {
      await sql.run(hurry, [id, deadlineSeconds]);
    },
    async release(owner) {
      await sql.run(release, [owner]);
    },
    lastOperation: (kind, resourceId, operationId) => pgLastOperation(sql, kind, resourceId, operationId),
  };
}
