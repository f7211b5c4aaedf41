import { RouteConflict } from './route-conflict.ts';
import {
  actionKey,
  compareSpecificity,
  fragmentsOf,
  labelsKey,
  matchKey,
  mayOverlap,
  specificity,
  type RouteClaim,
  type RouteFragment,
} from './route-fragment.ts';

/**
 * The routes of all claims of one scope in one order that does not depend on time: priority, then the narrower workload, then
 * Gateway API's order of matches, then the reference. Equal routes are one with several owners. Two different routes of two bindings
 * of one workload for the same requests are `route-conflict`, unless their plans' priorities differ: then the higher one counts.
 */
export function composeRoutes(claims: readonly RouteClaim[]): readonly RouteFragment[] {
  const merged = merge(claims.flatMap(fragmentsOf));
  const winners = withoutBeaten(merged);
  refuseConflicts(winners);
  return withoutUnreachable([...winners].sort(inOrder));
}
function merge(fragments: readonly RouteFragment[]): readonly RouteFragment[] {
  const groups = new Map<string, RouteFragment>();
  for (const fragment of [...fragments].sort((a, b) => compareText(first(a), first(b)) || a.index - b.index)) {
    const key = `${matchKey(fragment)} ${actionKey(fragment)} ${fragment.priority}`;
    const same = groups.get(key);
    if (same === undefined) groups.set(key, fragment);
    else groups.set(key, { ...same, owners: [...same.owners, ...fragment.owners], rank: higher(same.rank, fragment.rank) });
  }
  return [...groups.values()];
}
const higher = (a: RouteFragment['rank'], b: RouteFragment['rank']): RouteFragment['rank'] => (compareSpecificity(a, b) <= 0 ? a : b);
const first = (fragment: RouteFragment): string => fragment.owners[0] ?? '';
const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function withoutBeaten(fragments: readonly RouteFragment[]): readonly RouteFragment[] {
  const highest = new Map<string, number>();
  for (const fragment of fragments) {
    const key = matchKey(fragment);
    highest.set(key, Math.max(highest.get(key) ?? fragment.priority, fragment.priority));
  }
  return fragments.filter((fragment) => highest.get(matchKey(fragment)) === fragment.priority);
}
/** Those whose order would be by reference only: one workload, one port, one priority, equally specific, some request for both. */
function refuseConflicts(fragments: readonly RouteFragment[]): void {
  const places = new Map<string, RouteFragment[]>();
  for (const fragment of fragments) {
    const key = JSON.stringify([fragment.port.number, labelsKey(fragment.labels), fragment.priority, specificity(fragment.match)]);
    const place = places.get(key);
    if (place === undefined) places.set(key, [fragment]);
    else place.push(fragment);
  }
  for (const place of places.values()) {
    for (const [index, a] of place.entries()) for (const b of place.slice(index + 1)) refuseConflict(a, b);
  }
}
function refuseConflict(a: RouteFragment, b: RouteFragment): void {
  const onlyA = a.owners.find((owner) => !b.owners.includes(owner));
  const onlyB = b.owners.find((owner) => !a.owners.includes(owner));
  if (onlyA === undefined || onlyB === undefined || !mayOverlap(a.match, b.match) || actionKey(a) === actionKey(b)) return;
  throw new RouteConflict(onlyA, onlyB, 'routes for the same requests');
}
function inOrder(a: RouteFragment, b: RouteFragment): number {
  return (
    b.priority - a.priority ||
    Object.keys(b.labels).length - Object.keys(a.labels).length ||
    compareSpecificity(a.rank, b.rank) ||
    compareText(labelsKey(a.labels), labelsKey(b.labels)) ||
    compareText(first(a), first(b)) ||
    a.index - b.index
  );
}
/** After a route for every request of every workload nothing of its port is ever reached. */
function withoutUnreachable(fragments: readonly RouteFragment[]): readonly RouteFragment[] {
  const ended = new Set<number>();
  return fragments.filter((fragment) => {
    if (ended.has(fragment.port.number)) return false;
    if (takesEverything(fragment)) ended.add(fragment.port.number);
    return true;
  });
}
export const takesEverything = ({ labels, match }: RouteFragment): boolean => match === null && Object.keys(labels).length === 0;
