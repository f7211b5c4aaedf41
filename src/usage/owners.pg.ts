import type { Sql } from '../kernel/sql.ts';
import { bindingIn, hostOf, principalOf } from './caller.ts';
import type { KnownCaller, Owner } from './owner.ts';
import type { AttributionLine } from './resolve.ts';
import { resolve } from './resolve.ts';
import { subjectIds } from './subject-ids.pg.ts';
import { callerChecksum } from './usage-event.ts';

const mostCallers = 50_000;
const mostLines = 50_000;
const none: readonly AttributionLine[] = [];

const refresh = {
  name: 'usage_owners_refresh',
  text: `select nextval('usage_batch_id') as "batchId", pg_snapshot_xmin(pg_current_snapshot())::text as seen,
      array(select binding_ref || ' ' || principal from attribution
             where changed >= $1::xid8 and changed < pg_snapshot_xmax(pg_current_snapshot())) as changed`,
};
const load = {
  name: 'usage_owners_load',
  text: `select id, binding_ref as "bindingRef", lineage_id as "lineageId", principal, hosts, valid_from as "validFrom", valid_to as "validTo"
    from attribution where (binding_ref = any($1) or principal = any($2)) and (valid_to is null or valid_to > $3)`,
};
type Row = Omit<AttributionLine, 'from' | 'to'> & { readonly validFrom: Date; readonly validTo: Date | null };

interface Call {
  readonly caller: KnownCaller;
  readonly measured: { readonly time: number };
}
/**
 * Finds whose events are. Remembers attributions, bounded; what changed, by whichever replica, is forgotten at each refresh. One refresh
 * and find at a time: what is loaded must not be older than the last refresh.
 */
export class Owners {
  /** By principal, host and policy, all as events write them. */
  readonly #callers = new Map<string, Map<string, Map<string, KnownCaller>>>();
  #count = 0;
  readonly #byRef = new Map<string, AttributionLine[]>();
  readonly #byPrincipal = new Map<string, AttributionLine[]>();
  #seen: string | null = null;

  /** undefined: `principal` cannot be one. */
  caller(principal: string, policy: string, host: string): KnownCaller | undefined {
    const known = this.#callers.get(principal)?.get(host)?.get(policy);
    return known ?? this.#newCaller(principal, policy, host);
  }
  #newCaller(principal: string, policy: string, host: string): KnownCaller | undefined {
    const id = principalOf(principal);
    if (id === undefined) return undefined;
    const checksum = callerChecksum(principal, policy, host);
    const caller = { principal: id, bindingRef: bindingIn(policy), host: hostOf(host), checksum, owner: undefined };
    const ofPrincipal = made(this.#callers, principal, () => new Map<string, Map<string, KnownCaller>>());
    made(ofPrincipal, host, () => new Map<string, KnownCaller>()).set(policy, caller);
    this.#count += 1;
    return caller;
  }

  /** Forgets what changed since the last time; answers with the number of a new batch. */
  async refresh(sql: Sql): Promise<number> {
    const { rows } = await sql.run<{ batchId: number; seen: string; changed: string[] }>(refresh, [this.#seen]);
    const [row] = rows;
    if (row === undefined) throw new Error('no batch number');
    for (const each of row.changed) {
      const [ref = '', principal = ''] = each.split(' ');
      this.#byRef.delete(ref);
      this.#byPrincipal.delete(principal);
    }
    if (row.changed.length > 0) this.#forgetOwners();
    if (this.#count > mostCallers) this.#forgetCallers();
    this.#seen = row.seen;
    return row.batchId;
  }

  #forgetOwners(): void {
    for (const ofPrincipal of this.#callers.values())
      for (const toHost of ofPrincipal.values()) for (const caller of toHost.values()) caller.owner = undefined;
  }
  #forgetCallers(): void {
    this.#callers.clear();
    this.#count = 0;
  }

  /** Owners of events, by place. Lines that ended before `oldest` are of no interest. */
  async find(sql: Sql, events: readonly Call[], oldest: Date): Promise<Owner[]> {
    await this.#load(sql, events, oldest);
    const unknown = new Set<Owner>();
    const owners = events.map(({ caller, measured: { time } }) => {
      let { owner } = caller;
      if (owner === undefined || time < owner.from || time >= owner.until) caller.owner = owner = this.#resolve(caller, time);
      if (owner.subjectId === 0) unknown.add(owner);
      return owner;
    });
    if (unknown.size > 0) await subjectIds(sql, [...unknown]);
    return owners;
  }
  #resolve(caller: KnownCaller, time: number): Owner {
    const named = this.#byRef.get(caller.bindingRef) ?? none;
    const own = this.#byPrincipal.get(caller.principal) ?? none;
    return { ...resolve(caller, time, named, own), caller, subjectId: 0 };
  }
  async #load(sql: Sql, events: readonly Call[], oldest: Date): Promise<void> {
    if (this.#byRef.size + this.#byPrincipal.size > mostLines) {
      this.#byRef.clear();
      this.#byPrincipal.clear();
      this.#forgetOwners();
    }
    const open = events.filter(({ caller }) => caller.owner === undefined);
    const refs = missing(this.#byRef, open.map(({ caller }) => caller.bindingRef)); // prettier-ignore
    const principals = missing(this.#byPrincipal, open.map(({ caller }) => caller.principal)); // prettier-ignore
    if (refs.size + principals.size === 0) return;
    const { rows } = await sql.run<Row>(load, [[...refs], [...principals], oldest]);
    for (const ref of refs) this.#byRef.set(ref, []);
    for (const principal of principals) this.#byPrincipal.set(principal, []);
    for (const line of rows.map(lineOf)) {
      if (refs.has(line.bindingRef)) this.#byRef.get(line.bindingRef)?.push(line);
      if (principals.has(line.principal)) this.#byPrincipal.get(line.principal)?.push(line);
    }
  }
}
function made<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
const missing = (known: ReadonlyMap<string, unknown>, keys: readonly string[]): ReadonlySet<string> =>
  new Set(keys.filter((key) => key !== '' && !known.has(key)));
const lineOf = ({ validFrom, validTo, ...rest }: Row): AttributionLine => ({
  ...rest,
  from: validFrom.getTime(),
  to: validTo?.getTime() ?? Number.POSITIVE_INFINITY,
});
