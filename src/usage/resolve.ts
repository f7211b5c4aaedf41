import type { Caller } from './caller.ts';

/** An attribution as events are matched with it; times in milliseconds, an open end is Infinity. */
export interface AttributionLine {
  readonly id: number;
  readonly bindingRef: string;
  readonly lineageId: string;
  readonly principal: string;
  readonly hosts: readonly string[];
  readonly from: number;
  readonly to: number;
}
/** Whose an event is, and from when to when the same answer holds for the same caller. */
export interface Resolution {
  /** 0: no binding explains it. */
  readonly attributionId: number;
  /** The oldest of several lineages: the record does not say which. */
  readonly ambiguous: boolean;
  readonly from: number;
  readonly until: number;
}
/**
 * A proxy lets a request in a little before our row opens (its clock) or after it has ended (its configuration, a request under way):
 * what the binding's own grant let in is still the binding's.
 */
export const graceMs = 300_000;

/**
 * The binding that the policy names, at that time; else the only live lineage of this principal to this host, else the oldest of
 * them. `named`: lines of the caller's binding reference; `own`: lines of its principal.
 */
export function resolve(caller: Caller, time: number, named: readonly AttributionLine[], own: readonly AttributionLine[]): Resolution {
  const toHost = own.filter((line) => isHostOf(line, caller.host));
  const span = steadySpan(time, named, toHost);
  const byName = nearest(named, time);
  if (byName !== undefined) return { ...span, attributionId: byName.id, ambiguous: false };
  const live = toHost.filter(({ from, to }) => from <= time && time < to).sort((a, b) => a.from - b.from || a.id - b.id);
  const oldest = live[0];
  if (oldest === undefined) return { ...span, attributionId: 0, ambiguous: false };
  return { ...span, attributionId: oldest.id, ambiguous: live.some(({ lineageId }) => lineageId !== oldest.lineageId) };
}

/** Live at that time, else the closest one within the grace. */
function nearest(lines: readonly AttributionLine[], time: number): AttributionLine | undefined {
  const distance = ({ from, to }: AttributionLine): number => (time < from ? from - time : time < to ? 0 : time - to + 1);
  const close = lines.filter((line) => distance(line) <= graceMs);
  return close.sort((a, b) => distance(a) - distance(b) || b.from - a.from)[0];
}

/** Between two neighbouring ends, starts and grace limits nothing changes. */
function steadySpan(time: number, named: readonly AttributionLine[], own: readonly AttributionLine[]): { from: number; until: number } {
  const edges = [
    ...named.flatMap(({ from, to }) => [from - graceMs, from, to, to + graceMs]),
    ...betweenNeighbours(named),
    ...own.flatMap(({ from, to }) => [from, to]),
  ];
  return {
    from: Math.max(Number.NEGATIVE_INFINITY, ...edges.filter((edge) => edge <= time)),
    until: Math.min(Number.POSITIVE_INFINITY, ...edges.filter((edge) => edge > time)),
  };
}
/** In a gap between two lives of a binding the nearer one changes half-way. */
const betweenNeighbours = (lines: readonly AttributionLine[]): readonly number[] => {
  const sorted = lines.toSorted((a, b) => a.from - b.from);
  return sorted.slice(1).flatMap((line, index) => {
    const middle = (line.from + (sorted[index]?.to ?? line.from)) / 2;
    return [Math.floor(middle), Math.floor(middle) + 1];
  });
};

/** Also `reviews`, `reviews.bookinfo` and `reviews.bookinfo.svc` for the full name, and a host made for the binding (gateway, waypoint). */
function isHostOf(line: AttributionLine, host: string): boolean {
  if (host === '') return false;
  if (host.startsWith(`${line.bindingRef}.`) || host.startsWith(`${line.bindingRef}-`)) return true;
  return line.hosts.some((full) => full === host || (full.startsWith(`${host}.`) && full.includes('.svc.')));
}
