import type { EventRow } from './event-rows.ts';
import { hourMs } from './event-time.ts';

/** Sums of a batch by hour, subject and meter, as columns. A sum that would leave the safe integers goes on in another cell. */
export interface Cells {
  /** Milliseconds since 1970. */
  readonly hours: number[];
  readonly subjects: number[];
  readonly meters: number[];
  readonly quantities: number[];
  readonly requestBytes: number[];
  readonly responseBytes: number[];
}
/** More than any number of subjects and meters, small enough that a key stays a safe integer. */
const metersAtMost = 2 ** 15;

export function sumUp(rows: readonly EventRow[]): Cells {
  const cells: Cells = { hours: [], subjects: [], meters: [], quantities: [], requestBytes: [], responseBytes: [] };
  const places = new Map<number, Map<number, number>>();
  for (const row of rows) {
    const hour = row.time - (row.time % hourMs);
    const ofHour = places.get(hour) ?? new Map<number, number>();
    if (ofHour.size === 0) places.set(hour, ofHour);
    const key = row.subjectId * metersAtMost + row.meterId;
    const place = ofHour.get(key);
    if (place === undefined || !add(cells, place, row)) ofHour.set(key, append(cells, hour, row));
  }
  return cells;
}
function append(cells: Cells, hour: number, row: EventRow): number {
  cells.subjects.push(row.subjectId);
  cells.meters.push(row.meterId);
  cells.quantities.push(row.quantity);
  cells.requestBytes.push(row.requestBytes);
  cells.responseBytes.push(row.responseBytes);
  return cells.hours.push(hour) - 1;
}
function add(cells: Cells, place: number, row: EventRow): boolean {
  const quantity = (cells.quantities[place] ?? 0) + row.quantity;
  const requestBytes = (cells.requestBytes[place] ?? 0) + row.requestBytes;
  const responseBytes = (cells.responseBytes[place] ?? 0) + row.responseBytes;
  if (!Number.isSafeInteger(quantity) || !Number.isSafeInteger(requestBytes) || !Number.isSafeInteger(responseBytes)) return false;
  cells.quantities[place] = quantity;
  cells.requestBytes[place] = requestBytes;
  cells.responseBytes[place] = responseBytes;
  return true;
}
