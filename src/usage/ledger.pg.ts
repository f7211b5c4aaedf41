import { codeOf } from './sql-failure.ts';
import type { BulkSql, Sql } from '../kernel/sql.ts';
import type { EventRow } from './event-rows.ts';
import { encodeRows, eventColumns, hexOf } from './event-rows.ts';
import { dayMs, leafDay } from './event-time.ts';

export type Fate = 'accepted' | 'duplicate' | 'conflict';

const present = (leaf: string) => ({
  name: `usage_present_${leaf}`,
  text: `select encode(uuid_send(dedup), 'hex') as dedup, content from ${leaf} where dedup = any($1::uuid[])`,
});
const tries = 5;

/** Makes the leaves of the days where they are missing, in transactions of their own. */
export async function makeLeaves(sql: Sql, known: Set<number>, rows: readonly EventRow[]): Promise<void> {
  for (const day of daysOf(rows).keys()) {
    if (known.has(day)) continue;
    await sql.run('select usage_leaf($1::date)', [new Date(day).toISOString().slice(0, 10)]);
    known.add(day);
  }
}

/**
 * Writes what is new, and says of each row (by place) what became of it. `hopeful`: tries first as if nothing were repeated, which is
 * twice as fast where that is so.
 */
export async function writeRows(tx: BulkSql, batchId: number, rows: readonly EventRow[], hopeful: boolean): Promise<readonly Fate[]> {
  const fates = new Array<Fate>(rows.length).fill('accepted');
  for (const [day, places] of [...daysOf(rows)].sort(([a], [b]) => a - b)) {
    const leaf = `usage_event_${leafDay(day)}`;
    const copy = (chosen: readonly number[]): Promise<boolean> => copyUnlessRepeated(tx, leaf, batchId, chosen.map((place) => rows[place] ?? never())); // prettier-ignore
    if (hopeful && (await copy(sorted(rows, places)))) continue;
    for (let attempt = 1; ; attempt += 1) {
      const fresh = await sortOut(tx, leaf, rows, places, fates);
      if (fresh.length === 0 || (await copy(fresh))) break;
      if (attempt === tries) throw Object.assign(new Error('other writers of the same events are always faster'), { code: '40001' });
    }
  }
  return fates;
}
function daysOf(rows: readonly EventRow[]): Map<number, number[]> {
  const days = new Map<number, number[]>();
  let [lastDay, places]: [number, number[]] = [Number.NaN, []];
  rows.forEach(({ time }, place) => {
    const day = time - (time % dayMs);
    if (day !== lastDay) {
      places = days.get(day) ?? [];
      days.set(day, places);
      lastDay = day;
    }
    places.push(place);
  });
  return days;
}

const firstBytes = (key: string): number => (key.charCodeAt(0) << 16) | (key.charCodeAt(1) << 8) | key.charCodeAt(2);
/** By the first bytes of their keys, about: neighbours in the index are written together, in half the time of any order. */
function sorted(rows: readonly EventRow[], places: readonly number[]): readonly number[] {
  const keys = new Float64Array(places.length);
  places.forEach((place, n) => (keys[n] = firstBytes((rows[place] ?? never()).dedup) * 2 ** 28 + n));
  return Array.from(keys.sort(), (key) => places[key % 2 ** 28] ?? never());
}

/** false: one of them is in the ledger already; nothing was written. */
async function copyUnlessRepeated(tx: BulkSql, leaf: string, batchId: number, rows: readonly EventRow[]): Promise<boolean> {
  await tx.run('savepoint before_copy');
  try {
    await tx.copy(`copy ${leaf} (${eventColumns}) from stdin (format binary)`, encodeRows(rows, batchId));
    return true;
  } catch (error) {
    if (codeOf(error) !== '23505') throw error;
    await tx.run('rollback to savepoint before_copy');
    return false;
  }
}

/** Tells repeated rows from new ones. The new ones come sorted, so that two writers of the same events wait for each other in one order. */
async function sortOut(tx: Sql, leaf: string, rows: readonly EventRow[], places: readonly number[], fates: Fate[]): Promise<number[]> {
  const keys = [...new Set(places.map((place) => hexOf((rows[place] ?? never()).dedup)))];
  const { rows: found } = await tx.run<{ dedup: string; content: number }>(present(leaf), [keys]);
  const contents = new Map(found.map(({ dedup, content }) => [Buffer.from(dedup, 'hex').toString('latin1'), content]));
  const fresh: number[] = [];
  for (const place of places) {
    const row = rows[place] ?? never();
    const content = contents.get(row.dedup);
    if (content === undefined) {
      contents.set(row.dedup, row.content);
      fresh.push(place);
      fates[place] = 'accepted';
    } else {
      fates[place] = content === row.content ? 'duplicate' : 'conflict';
    }
  }
  const key = (place: number): string => rows[place]?.dedup ?? '';
  return fresh.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
const never = (): never => {
  throw new Error('no such row');
};
