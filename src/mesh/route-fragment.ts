import { canonicalJson } from '../kernel/json.ts';
import type { ServicePort } from './mesh-service.ts';
import type { RouteMatch, RouteRule, TrafficPlan } from './traffic-plan.ts';

/** Who wants routes: a binding's plan for the workloads with these labels (none: every workload of the namespace). */
export interface RouteClaim {
  readonly bindingRef: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  readonly traffic: TrafficPlan;
}
/** One route of one or several bindings that want the same. */
export interface RouteFragment {
  readonly owners: readonly string[];
  /** Place among the routes of the first owner. */
  readonly index: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: ServicePort;
  readonly match: RouteMatch | null;
  readonly action: RouteAction;
  readonly priority: number;
  /** Specificity, at least that of the rules that follow it in its plan. */
  readonly rank: Specificity;
}
export type RouteAction = Omit<RouteRule, 'name' | 'match'>;
/** Compared from left to right, higher first: kind of path match, its length, methods, number of headers. */
export type Specificity = readonly [number, number, number, number];

const wholeService: RouteAction = { split: [{ subset: null, weight: 100 }], timeout: null, retries: null, mirror: null, fault: null };
const pathKind = { regex: 1, prefix: 2, exact: 3 } as const;

function pathSpecificity(path: RouteMatch['path']): readonly [number, number] {
  if (path === null) return [0, 0];
  if ('exact' in path) return [pathKind.exact, path.exact.length];
  return 'prefix' in path ? [pathKind.prefix, path.prefix.length] : [pathKind.regex, path.regex.length];
}
export function specificity(match: RouteMatch | null): Specificity {
  if (match === null) return [0, 0, 0, 0];
  return [...pathSpecificity(match.path), match.methods.length > 0 ? 1 : 0, match.headers.length];
}
export function compareSpecificity(a: Specificity, b: Specificity): number {
  for (const place of [0, 1, 2, 3] as const) if (a[place] !== b[place]) return b[place] - a[place];
  return 0;
}
const normal = (match: RouteMatch | null): RouteMatch | null => {
  if (match === null || (match.path === null && match.headers.length === 0 && match.methods.length === 0)) return null;
  const headers = [...match.headers].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { path: match.path, headers, methods: [...new Set(match.methods)].sort() };
};

/** The routes of one claim in its plan's order; a rule that takes every request stands last, added when the plan has none. */
export function fragmentsOf(claim: RouteClaim): readonly RouteFragment[] {
  const rules: { match: RouteMatch | null; action: RouteAction }[] = [];
  for (const { match, split, timeout, retries, mirror, fault } of claim.traffic.routes) {
    rules.push({ match: normal(match), action: { split, timeout, retries, mirror, fault } });
    if (normal(match) === null) break;
  }
  if (rules.at(-1)?.match !== null) rules.push({ match: null, action: wholeService });
  const ranks = ranksOf(rules.map(({ match }) => match));
  return claim.ports.flatMap((port, portIndex) =>
    rules.map(({ match, action }, ruleIndex) => ({
      owners: [claim.bindingRef],
      index: portIndex * rules.length + ruleIndex,
      labels: claim.labels,
      port,
      match,
      action,
      priority: claim.traffic.routePriority,
      rank: ranks[ruleIndex] ?? specificity(match),
    })),
  );
}
function ranksOf(matches: readonly (RouteMatch | null)[]): readonly Specificity[] {
  const ranks = matches.map(specificity);
  for (let index = ranks.length - 2; index >= 0; index -= 1) {
    const [own, next] = [ranks[index], ranks[index + 1]];
    if (own !== undefined && next !== undefined && compareSpecificity(next, own) < 0) ranks[index] = next;
  }
  return ranks;
}
export const matchKey = (fragment: RouteFragment): string => canonicalJson([fragment.port.number, fragment.labels, fragment.match]);
export const actionKey = (fragment: RouteFragment): string => canonicalJson(fragment.action);
export const labelsKey = (labels: Readonly<Record<string, string>>): string => canonicalJson(labels);

/** Whether some request could match both: false only where a path, a header or the method rules it out. */
export function mayOverlap(a: RouteMatch | null, b: RouteMatch | null): boolean {
  if (a === null || b === null) return true;
  if (a.methods.length > 0 && b.methods.length > 0 && !a.methods.some((method) => b.methods.includes(method))) return false;
  if (!pathsMayOverlap(a.path, b.path)) return false;
  return a.headers.every(({ name, value }) => {
    const other = b.headers.find((header) => header.name.toLowerCase() === name.toLowerCase());
    return other === undefined || pathsMayOverlap(value, other.value);
  });
}
function pathsMayOverlap(a: RouteMatch['path'], b: RouteMatch['path']): boolean {
  if (a === null || b === null || 'regex' in a || 'regex' in b) return true;
  if ('exact' in a) return 'exact' in b ? a.exact === b.exact : a.exact.startsWith(b.prefix);
  if ('exact' in b) return b.exact.startsWith(a.prefix);
  return a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
}
