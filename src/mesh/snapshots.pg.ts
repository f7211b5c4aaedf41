import type { Sql } from '../kernel/sql.ts';
import type { PlanSnapshot } from './contribution.ts';

/** Those of the snapshots that there are, by hash. */
export type Snapshots = (sql: Sql, hashes: readonly string[]) => Promise<ReadonlyMap<string, PlanSnapshot>>;

const read = { name: 'mesh_snapshots', text: 'select hash, snapshot from plan_snapshot where hash = any ($1)' };
const kept = 2_000;

/**
 * Snapshots never change under their hash, so they are read once per process: call this once, and share the result between all stores.
 * The oldest leaves when there are too many.
 */
export function pgSnapshots(): Snapshots {
  const known = new Map<string, PlanSnapshot>();
  return async (sql, hashes) => {
    const found = new Map<string, PlanSnapshot>();
    const missing: string[] = [];
    for (const hash of new Set(hashes)) {
      const snapshot = known.get(hash);
      if (snapshot === undefined) missing.push(hash);
      else found.set(hash, snapshot);
    }
    if (missing.length === 0) return found;
    const { rows } = await sql.run<{ hash: string; snapshot: PlanSnapshot }>(read, [missing]);
    for (const { hash, snapshot } of rows) {
      found.set(hash, snapshot);
      known.set(hash, snapshot);
      const oldest = known.keys().next().value;
      if (known.size > kept && oldest !== undefined) known.delete(oldest);
    }
    return found;
  };
}
