import { dayMs, hourMs } from './event-time.ts';

/** Part of a window that is read from one place: whole UTC days, whole UTC hours, or single events. Milliseconds, half-open. */
export interface Piece {
  readonly window: number;
  readonly kind: 'day' | 'hour' | 'event';
  readonly from: number;
  readonly to: number;
}

/** Covers a window exactly with the coarsest pieces: days inside, hours at their edges, events at the edges of those. */
export function coverWindow(window: number, from: number, to: number): readonly Piece[] {
  return cover(window, from, to, [
    { kind: 'day', ms: dayMs },
    { kind: 'hour', ms: hourMs },
  ]);
}
interface Unit {
  readonly kind: Piece['kind'];
  readonly ms: number;
}
function cover(window: number, from: number, to: number, units: readonly Unit[]): readonly Piece[] {
  if (from >= to) return [];
  const [unit, ...finer] = units;
  if (unit === undefined) return [{ window, kind: 'event', from, to }];
  const first = Math.ceil(from / unit.ms) * unit.ms;
  const last = Math.floor(to / unit.ms) * unit.ms;
  if (first >= last) return cover(window, from, to, finer);
  return [...cover(window, from, first, finer), { window, kind: unit.kind, from: first, to: last }, ...cover(window, last, to, finer)];
}

/** `2026-11-01T00:00:00+01:00`, from the moment and what the clocks of the zone show then. */
export function zonedTime(moment: Date, local: string): string {
  const minutes = Math.round((Date.parse(`${local}Z`) - moment.getTime()) / 60_000);
  const milliseconds = moment.getUTCMilliseconds();
  const shown = milliseconds === 0 ? local : `${local}.${String(milliseconds).padStart(3, '0')}`;
  if (minutes === 0) return `${shown}Z`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const absolute = Math.abs(minutes);
  return `${shown}${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}
