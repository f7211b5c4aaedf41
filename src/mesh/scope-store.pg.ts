import type { Sql } from '../kernel/sql.ts';
import type { Consumer } from './consumer.ts';
import type { Contribution, Exposure, GuardDefinition, PlanSnapshot } from './contribution.ts';
import type { ObjectId } from './mesh-object.ts';
import type { Neighbour, ScopeState, ScopeStore } from './scope-store.ts';
import type { Snapshots } from './snapshots.pg.ts';

const statement = (name: string, text: string): { name: string; text: string } => ({ name: `mesh_${name}`, text });
const scopeColumns = 'scope, revision, objects_hash, object_ids, settled_revision, changed_by';
const lockScope = statement('lock', `select ${scopeColumns} from mesh_scope where scope = $1 for update`);
const createScope = statement('create', 'insert into mesh_scope (scope) values ($1) on conflict do nothing');
const readScopes = statement('states', `select ${scopeColumns} from mesh_scope where scope = any ($1)`);
const revise = statement(
  'revise',
  `update mesh_scope set revision = $2, objects_hash = $3, object_ids = $4, changed_by = $5, updated_at = clock_timestamp()
    where scope = $1 and revision < $2`,
);
const settle = statement(
  'settle',
  `update mesh_scope set settled_revision = $2, object_ids = $3, updated_at = clock_timestamp() where scope = $1 and revision = $2`,
);
const unsettle = statement(
  'unsettle',
  `update mesh_scope set settled_revision = revision - 1, object_ids = $3, changed_by = $4, updated_at = clock_timestamp()
    where scope = $1 and revision = $2 and settled_revision = revision and revision > 0`,
);
const currentRevision = statement('revision', 'select revision from mesh_scope where scope = $1');
const unsettled = statement(
  'unsettled',
  'select scope from mesh_scope where changed_by = $1 and settled_revision < revision order by scope',
);
const setExposure = statement('exposure', 'update service_binding set exposure = $2 where ref = $1 and exposure <> $2');
const leave = statement('leave', 'delete from mesh_member where binding_ref = $1 and scope <> all ($2)');
const join = statement(
  'join',
  'insert into mesh_member (scope, binding_ref) select scope, $1 from unnest($2::text[]) as wanted (scope) on conflict do nothing',
);
const contributionColumns = `b.ref, b.binding_id, b.principal, b.consumer, b.exposure, i.ref as instance_ref, i.instance_id, i.snapshot_hash`;
const oneContribution = statement(
  'contribution',
  `select ${contributionColumns} from service_binding b join service_instance i on i.id = b.instance_uuid where b.ref = $1`,
);
const members = statement(
  'members',
  `select ${contributionColumns} from mesh_member m join service_binding b on b.ref = m.binding_ref
    join service_instance i on i.id = b.instance_uuid where m.scope = $1 order by m.binding_ref`,
);
const neighbours = statement(
  'neighbours',
  `select distinct on (m.scope, b.consumer->'workloadLabels', i.snapshot_hash) m.scope, b.platform_id, ${contributionColumns}
    from mesh_member m join service_binding b on b.ref = m.binding_ref join service_instance i on i.id = b.instance_uuid
    where m.scope = any ($1) and i.id is distinct from $2::uuid
    order by m.scope, b.consumer->'workloadLabels', i.snapshot_hash, m.binding_ref`,
);
const exposedOf = statement(
  'exposed_of',
  `select ${contributionColumns} from service_binding b join service_instance i on i.id = b.instance_uuid
    where b.instance_uuid = $1 and b.state <> 'gone' and b.exposure <> 'hidden' order by b.ref`,
);
const scopesOf = statement('scopes_of', 'select scope from mesh_member where binding_ref = $1 order by scope');
const oneGuard = statement('guard', 'select definition from mesh_guard where offering_id = $1');
const allGuards = 'select definition from mesh_guard order by offering_id';
const holdGuard = statement('hold_guard', 'select 1 from mesh_guard where offering_id = $1 for share');
const saveGuard = `insert into mesh_guard (offering_id, definition) values ($1, $2)
  on conflict (offering_id) do update set definition = excluded.definition, updated_at = clock_timestamp()`;
const deleteGuard = 'delete from mesh_guard where offering_id = $1';
const exposedBindings = `select count(*)::int as bindings from service_binding b join service_instance i on i.id = b.instance_uuid
  where i.service_offering_id = $1 and b.exposure <> 'hidden'`;

interface ScopeRow {
  readonly scope: string;
  readonly revision: number;
  readonly objects_hash: string;
  readonly object_ids: readonly ObjectId[];
  readonly settled_revision: number;
  readonly changed_by: string;
}
interface ContributionRow {
  readonly ref: string;
  readonly binding_id: string;
  readonly principal: string;
  readonly consumer: Consumer;
  readonly exposure: Exposure;
  readonly instance_ref: string;
  readonly instance_id: string;
  readonly snapshot_hash: string;
}
const scopeFromRow = (row: ScopeRow): ScopeState => ({
  scope: row.scope,
  revision: row.revision,
  objectsHash: row.objects_hash,
  objectIds: row.object_ids,
  settledRevision: row.settled_revision,
  changedBy: row.changed_by,
});
const contributionFromRow = (row: ContributionRow, snapshot: PlanSnapshot): Contribution => ({
  bindingRef: row.ref,
  instanceRef: row.instance_ref,
  bindingId: row.binding_id,
  instanceId: row.instance_id,
  principal: row.principal,
  consumer: row.consumer,
  exposure: row.exposure,
  snapshot,
});

export const pgScopeStore = (sql: Sql, snapshots: Snapshots): ScopeStore => ({
  ...scopeRows(sql),
  ...memberships(sql, snapshots),
  ...guardRows(sql),
});
type Scopes = Pick<ScopeStore, 'lock' | 'state' | 'states' | 'revise' | 'settle' | 'unsettle' | 'currentRevision' | 'unsettled'>;
function scopeRows(sql: Sql): Scopes {
  const states = async (scopes: readonly string[]): Promise<readonly ScopeState[]> =>
    (await sql.run<ScopeRow>(readScopes, [scopes])).rows.map(scopeFromRow);
  return {
    async lock(scope) {
      const first = await sql.run<ScopeRow>(lockScope, [scope]);
      if (first.rows[0] !== undefined) return scopeFromRow(first.rows[0]);
      await sql.run(createScope, [scope]);
      const { rows } = await sql.run<ScopeRow>(lockScope, [scope]);
      if (rows[0] === undefined) throw new Error(`scope ${scope} vanished while it was locked`);
      return scopeFromRow(rows[0]);
    },
    state: async (scope) => (await states([scope]))[0],
    states,
    async revise({ scope, revision, objectsHash, objectIds, changedBy }) {
      await sql.run(revise, [scope, revision, objectsHash, JSON.stringify(objectIds), changedBy]);
    },
    async settle(scope, revision, objectIds) {
      await sql.run(settle, [scope, revision, JSON.stringify(objectIds)]);
    },
    async unsettle(scope, revision, objectIds, changedBy) {
      return (await sql.run(unsettle, [scope, revision, JSON.stringify(objectIds), changedBy])).count > 0;
    },
    async currentRevision(scope) {
      const { rows } = await sql.run<{ revision: number }>(currentRevision, [scope]);
      return rows[0]?.revision ?? 0;
    },
    async unsettled(changedBy) {
      return (await sql.run<{ scope: string }>(unsettled, [changedBy])).rows.map(({ scope }) => scope);
    },
  };
}
type Memberships = Pick<ScopeStore, 'expose' | 'contribution' | 'members' | 'scopesOf' | 'exposedBindings' | 'neighbours' | 'exposedOf'>;
function memberships(sql: Sql, snapshots: Snapshots): Memberships {
  const read = async (rows: readonly ContributionRow[]): Promise<readonly Contribution[]> => {
    const bySnapshot = await snapshots(
      sql,
      rows.map((row) => row.snapshot_hash),
    );
    return rows.map((row) => {
      const snapshot = bySnapshot.get(row.snapshot_hash);
      if (snapshot === undefined) throw new Error(`plan snapshot ${row.snapshot_hash} is missing`);
      return contributionFromRow(row, snapshot);
    });
  };
  return {
    async expose(bindingRef, exposure, scopes) {
      await sql.run(setExposure, [bindingRef, exposure]);
      await sql.run(leave, [bindingRef, scopes]);
      if (scopes.length > 0) await sql.run(join, [bindingRef, scopes]);
    },
    async contribution(bindingRef) {
      return (await read((await sql.run<ContributionRow>(oneContribution, [bindingRef])).rows))[0];
    },
    async members(scope) {
      return read((await sql.run<ContributionRow>(members, [scope])).rows);
    },
    async scopesOf(bindingRef) {
      return (await sql.run<{ scope: string }>(scopesOf, [bindingRef])).rows.map(({ scope }) => scope);
    },
    async neighbours(scopes, exceptInstance): Promise<readonly Neighbour[]> {
      const { rows } = await sql.run<ContributionRow & { scope: string; platform_id: string }>(neighbours, [scopes, exceptInstance]);
      const contributions = await read(rows);
      return rows.flatMap(({ scope, platform_id: platformId }, index) => {
        const contribution = contributions[index];
        return contribution === undefined ? [] : { scope, platformId, contribution };
      });
    },
    async exposedOf(instanceUuid) {
      return read((await sql.run<ContributionRow>(exposedOf, [instanceUuid])).rows);
    },
    async exposedBindings(offeringId) {
      return (await sql.run<{ bindings: number }>(exposedBindings, [offeringId])).rows[0]?.bindings ?? 0;
    },
  };
}
function guardRows(sql: Sql): Pick<ScopeStore, 'guard' | 'guards' | 'holdGuard' | 'saveGuard' | 'deleteGuard'> {
  return {
    async guard(offeringId) {
      return (await sql.run<{ definition: GuardDefinition }>(oneGuard, [offeringId])).rows[0]?.definition;
    },
    async guards() {
      return (await sql.run<{ definition: GuardDefinition }>(allGuards)).rows.map(({ definition }) => definition);
    },
    async holdGuard(offeringId) {
      return (await sql.run(holdGuard, [offeringId])).count > 0;
    },
    async saveGuard(guard) {
      await sql.run(saveGuard, [guard.offeringId, JSON.stringify(guard)]);
    },
    async deleteGuard(offeringId) {
      await sql.run(deleteGuard, [offeringId]);
    },
  };
}
