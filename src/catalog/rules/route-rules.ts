import { canonicalJson } from '../../kernel/json.ts';
import { durationMs } from '../duration.ts';
import { consumersOf } from '../decode-offering.ts';
import type { MatchFile, OfferingFile, PlanFile, RouteFile } from '../offering-file.ts';
import type { DocumentPath, Report } from '../problem.ts';
import { printPath } from '../problem.ts';
import { whyNotRe2 } from '../re2.ts';
import { checkUnique } from './service-rules.ts';

/** Ports on which requests can be told apart. */
export const hasHttp = (file: OfferingFile): boolean =>
  file.service.ports.some(({ protocol }) => protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC');

/** What the schema cannot say about the routes of a plan. */
export function checkRoutes(file: OfferingFile, plan: PlanFile, planPath: DocumentPath, report: Report): void {
  const routes = plan.routes ?? [];
  const path = [...planPath, 'routes'];
  if (routes.length === 0) return;
  if (!hasHttp(file))
    report(path, `${printPath(path)}: the service has only TCP and TLS ports`, 'remove routes: they need HTTP, HTTP2 or GRPC');
  checkUnique(routes, path, ({ name }) => name, 'name', report);
  checkReachable(routes, path, report);
  checkAmbient(file, plan, path, report);
  for (const [index, route] of routes.entries()) {
    const here = [...path, index];
    checkSplit(file, route, here, report);
    checkMirror(file, route, here, report);
    checkTimes(route, here, report);
    checkFault(plan, route, here, report);
    checkMatch(route, here, report);
  }
}
/** A waypoint's routes are an HTTPRoute: it has at most 16 rules, one of them the default, and reaches Services of its namespace. */
function checkAmbient(file: OfferingFile, plan: PlanFile, path: DocumentPath, report: Report): void {
  if (!consumersOf(plan).includes('ambient')) return;
  const routes = plan.routes ?? [];
  if (routes.length > mostAmbientRoutes)
    report(path, `${printPath(path)}: a waypoint takes at most ${mostAmbientRoutes} routes`, 'join some, or remove ambient from consumers');
  for (const [index, { mirror }] of routes.entries()) {
    const here = [...path, index, 'mirror', 'host'];
    if (mirror?.host !== undefined && !mirror.host.includes(`.${file.service.namespace}.svc.`))
      report(here, `${printPath(here)}: a waypoint mirrors within its namespace only`, 'remove mirror, or ambient from consumers');
  }
}
const mostAmbientRoutes = 15;
const everything = canonicalJson({ headers: {}, methods: [] });
function checkReachable(routes: readonly RouteFile[], path: DocumentPath, report: Report): void {
  const seen = new Map<string, string>();
  for (const [index, route] of routes.entries()) {
    const { path: by, headers = {}, methods = [] } = route.match ?? {};
    const match = canonicalJson({ by, headers, methods: methods.toSorted() });
    const hidingRoute = seen.get(everything) ?? seen.get(match);
    const here = [...path, index];
    if (hidingRoute === undefined) seen.set(match, route.name);
    else report(here, `${printPath(here)}: is never reached, because ${hidingRoute} takes its requests`, 'move it up or remove it');
  }
}
function checkSubset(file: OfferingFile, subset: string | undefined, path: DocumentPath, report: Report): void {
  const known = (file.service.subsets ?? []).map(({ name }) => name);
  if (subset === undefined || known.includes(subset)) return;
  const fix = known.length === 0 ? 'add service.subsets' : `use ${known.join(', ')}, or add it to service.subsets`;
  report(path, `${printPath(path)}: the service has no subset "${subset}"`, fix);
}
function checkSplit(file: OfferingFile, { split }: RouteFile, routePath: DocumentPath, report: Report): void {
  if (split === undefined) return;
  const path = [...routePath, 'split'];
  const total = split.reduce((sum, { weight }) => sum + weight, 0);
  if (total !== 100) report(path, `${printPath(path)}: the weights add to ${total}`, 'make them add to 100');
  checkUnique(split, path, ({ subset }) => subset ?? 'the whole service', 'subset', report);
  for (const [index, { subset }] of split.entries()) checkSubset(file, subset, [...path, index, 'subset'], report);
}
function checkMirror(file: OfferingFile, { mirror }: RouteFile, routePath: DocumentPath, report: Report): void {
  if (mirror === undefined) return;
  const path = [...routePath, 'mirror'];
  const elsewhere = mirror.host !== undefined && !file.service.hosts.includes(mirror.host);
  if (elsewhere && mirror.subset !== undefined)
    report([...path, 'subset'], `${printPath(path)}: the subsets of ${mirror.host} are not known here`, 'remove subset or host');
  else checkSubset(file, mirror.subset, [...path, 'subset'], report);
  if (mirror.host === undefined && mirror.subset === undefined)
    report(path, `${printPath(path)}: mirrors the service to itself`, 'add host or subset');
}
function checkTimes({ timeout, retries }: RouteFile, routePath: DocumentPath, report: Report): void {
  const perTry = retries?.per_try_timeout;
  if (timeout === undefined || perTry === undefined || durationMs(perTry) <= durationMs(timeout)) return;
  const path = [...routePath, 'retries', 'per_try_timeout'];
  report(path, `${printPath(path)}: ${perTry} is longer than the timeout of the whole request (${timeout})`, 'shorten it');
}
function checkFault(plan: PlanFile, { fault }: RouteFile, routePath: DocumentPath, report: Report): void {
  if (fault === undefined) return;
  const path = [...routePath, 'fault'];
  if (plan.test !== true)
    report(path, `${printPath(path)}: injects faults, and the plan is no test plan`, 'remove it, or add test: true to the plan');
  if (consumersOf(plan).includes('ambient'))
    report(path, `${printPath(path)}: a waypoint cannot inject faults`, 'remove it, or ambient from consumers');
}
function checkMatch({ match }: RouteFile, routePath: DocumentPath, report: Report): void {
  checkRegex(match?.path, [...routePath, 'match', 'path'], report);
  for (const [name, value] of Object.entries(match?.headers ?? {})) checkRegex(value, [...routePath, 'match', 'headers', name], report);
}
function checkRegex(match: MatchFile | undefined, path: DocumentPath, report: Report): void {
  const why = match?.regex === undefined ? undefined : whyNotRe2(match.regex);
  if (why !== undefined)
    report([...path, 'regex'], `${printPath(path)}: Envoy refuses the expression: ${why}`, 'write it in the syntax of RE2');
}
