import type { Sql } from '../kernel/sql.ts';

export interface Meter {
  readonly id: number;
  readonly unit: string;
}
const mostNames = 10_000;
const mostMeters = 1_000;

const sources = {
  find: { name: 'usage_source_find', text: 'select id, name from usage_source where name = any($1)' },
  make: { name: 'usage_source_make', text: 'insert into usage_source (name) select unnest($1::text[]) on conflict do nothing' },
};
/** Ids of sources; made where they are missing, remembered, bounded. */
export class SourceIds {
  readonly #ids = new Map<string, number>();
  async load(sql: Sql, names: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const missing = [...names].filter((name) => !this.#ids.has(name)).sort();
    if (missing.length === 0) return this.#ids;
    if (this.#ids.size > mostNames) {
      this.#ids.clear();
      return this.load(sql, names);
    }
    await sql.run(sources.make, [missing]);
    for (const { id, name } of (await sql.run<{ id: number; name: string }>(sources.find, [missing])).rows) this.#ids.set(name, id);
    return this.#ids;
  }
}

const meters = {
  find: { name: 'usage_meter_find', text: 'select id, name, unit from usage_meter where name = any($1)' },
  make: {
    name: 'usage_meter_make',
    text: `insert into usage_meter (name, unit) select name, unit from unnest($1::text[], $2::text[]) as m (name, unit)
      where (select count(*) from usage_meter) < $3 order by name on conflict do nothing`,
  },
};
/** Meters by name. A new name is a new meter, unless there are too many of them already: then it stays unknown. */
export class Meters {
  readonly #meters = new Map<string, Meter>();
  /** `units`: name and unit as sent, '' for none. */
  async load(sql: Sql, units: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Meter>> {
    const missing = [...units.keys()].filter((name) => !this.#meters.has(name));
    if (missing.length === 0) return this.#meters;
    if ((await this.#find(sql, missing)) < missing.length) {
      const fresh = missing.filter((name) => !this.#meters.has(name));
      await sql.run(meters.make, [fresh, fresh.map((name) => units.get(name) || 'unit'), mostMeters]);
      await this.#find(sql, fresh);
    }
    return this.#meters;
  }
  async #find(sql: Sql, names: readonly string[]): Promise<number> {
    const { rows } = await sql.run<Meter & { name: string }>(meters.find, [names]);
    for (const { name, id, unit } of rows) this.#meters.set(name, { id, unit });
    return rows.length;
  }
}
