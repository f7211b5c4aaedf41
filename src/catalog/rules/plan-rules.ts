import { consumersOf, credentialsOf } from '../decode-offering.ts';
import { durationMs } from '../duration.ts';
import type { AccessFile, OfferingFile, PlanFile, PortFile } from '../offering-file.ts';
import type { DocumentPath, Report } from '../problem.ts';
import { printPath } from '../problem.ts';
import { hasHttp } from './route-rules.ts';

/** Cloud Foundry refuses more (INT-08). */
const longestMaintenanceInfo = 2000;
const shortestValidityMs = 60_000;
const isTcp = ({ protocol }: PortFile): boolean => protocol === 'TCP' || protocol === 'TLS';
type Check = (file: OfferingFile, plan: PlanFile, path: DocumentPath, report: Report) => void;

/** What the schema cannot say about one plan, routes and parameters apart. */
export function checkPlan(file: OfferingFile, plan: PlanFile, path: DocumentPath, issuingLifeSeconds: number, report: Report): void {
  for (const check of [checkPrice, checkConsumers, checkCredentials, checkTraffic, checkLimits, checkAccess, checkTraining, checkDurations])
    check(file, plan, path, report);
  checkValidity(plan, path, issuingLifeSeconds, report);
  const maintenance = JSON.stringify(plan.maintenance_info ?? {}).length;
  if (maintenance > longestMaintenanceInfo)
    report([...path, 'maintenance_info'], `${printPath(path)}.maintenance_info: ${maintenance} characters as JSON`, 'shorten it to 2,000');
}
const checkPrice: Check = (_file, plan, path, report) => {
  const at = printPath(path);
  if ((plan.costs ?? []).length > 0 && plan.free === true)
    report([...path, 'free'], `${at}.free: true, and the plan has costs`, 'write free: false, or remove costs');
  if (plan.price !== undefined && (plan.costs ?? []).length === 0 && plan.free === undefined)
    report([...path, 'price'], `${at}.price: the plan does not say whether it is free`, 'add free: false (or free: true)');
  if (plan.price !== undefined && plan.free === true && /[1-9]/.test(plan.price))
    report([...path, 'free'], `${at}.free: true, and the price is "${plan.price}"`, 'write free: false, or correct the price');
};
const checkConsumers: Check = (file, plan, path, report) => {
  const kinds = consumersOf(plan);
  const here = [...path, 'consumers'];
  if (kinds.includes('ambient')) {
    const { waypoint, hosts, namespace } = file.service;
    if (waypoint === undefined) report(here, `${printPath(here)}: ambient needs a waypoint`, 'add service.waypoint, or remove ambient');
    if (hosts[0]?.split('.').slice(1, 3).join('.') !== `${namespace}.svc`)
      report(
        here,
        `${printPath(here)}: ambient needs a Kubernetes Service as the first host`,
        `write <name>.${namespace}.svc.cluster.local`,
      );
  }
  if (kinds.includes('off-mesh') && !hasHttp(file))
    report(here, `${printPath(here)}: the gateway reaches HTTP, HTTP2 and GRPC ports only, and the service has none`, 'remove off-mesh');
};
const checkCredentials: Check = (_file, plan, path, report) => {
  const kinds = consumersOf(plan);
  const credentials = credentialsOf(plan);
  const here = [...path, 'credentials'];
  const at = printPath(here);
  const inMesh = kinds.some((kind) => kind !== 'off-mesh');
  if (inMesh && !credentials.includes('mesh-identity')) report(here, `${at}: consumers in the mesh have nothing else`, 'add mesh-identity');
  if (!inMesh && credentials.includes('mesh-identity')) report(here, `${at}: off-mesh consumers have no mesh-identity`, 'remove it');
  if (kinds.includes('off-mesh') && !credentials.includes('x509-svid')) report(here, `${at}: off-mesh consumers need it`, 'add x509-svid');
  if (!kinds.includes('off-mesh') && credentials.includes('x509-svid'))
    report(here, `${at}: nobody can use x509-svid`, 'remove it, or add off-mesh to consumers');
};
function checkValidity(plan: PlanFile, path: DocumentPath, issuingLifeSeconds: number, report: Report): void {
  if (plan.binding_validity === undefined) return;
  const here = [...path, 'binding_validity'];
  const validity = durationMs(plan.binding_validity);
  const longest = Math.floor(issuingLifeSeconds / 2);
  if (validity < shortestValidityMs) report(here, `${printPath(here)}: ${plan.binding_validity} is too short`, 'write 1m or more');
  if (credentialsOf(plan).includes('x509-svid') && validity > longest * 1000)
    report(
      here,
      `${printPath(here)}: ${plan.binding_validity} is longer than half the life of the issuing certificate`,
      `write ${Math.floor(longest / 3600)}h or less, or let the authority live longer`,
    );
}
const checkTraffic: Check = (file, plan, path, report) => {
  const at = printPath(path);
  if (plan.locality !== undefined && plan.outlier_detection === undefined)
    report([...path, 'locality'], `${at}.locality: has no effect without outlier_detection`, 'add outlier_detection');
  checkBalancing(plan, [...path, 'load_balancing'], report);
  if (plan.max_connection_duration !== undefined && !file.service.ports.some(isTcp))
    report([...path, 'max_connection_duration'], `${at}.max_connection_duration: the service has no TCP or TLS port`, 'remove it');
  if (plan.retry_budget !== undefined && !hasHttp(file))
    report([...path, 'retry_budget'], `${at}.retry_budget: the service has only TCP and TLS ports`, 'remove it');
};
function checkBalancing({ load_balancing: balancing }: PlanFile, path: DocumentPath, report: Report): void {
  const at = printPath(path);
  if (balancing?.algorithm !== undefined && balancing.consistent_hash_header !== undefined)
    report(path, `${at}: the hash replaces the algorithm`, 'keep one of them');
  if (balancing?.warmup !== undefined && (balancing.algorithm === 'RANDOM' || balancing.algorithm === 'PASSTHROUGH'))
    report([...path, 'warmup'], `${at}.warmup: ${balancing.algorithm} knows none`, 'remove it');
}
const checkLimits: Check = (file, plan, path, report) => {
  const here = [...path, 'limits'];
  const { requests_per_second: perSecond, burst } = plan.limits ?? {};
  if (burst !== undefined && (perSecond === undefined || burst < perSecond))
    report([...here, 'burst'], `${printPath(here)}.burst: must not be below requests_per_second`, 'raise it, or leave it out');
  if (plan.limits !== undefined && !hasHttp(file))
    report(here, `${printPath(here)}: requests are counted on HTTP, HTTP2 and GRPC ports only`, 'remove it');
};
const checkAccess: Check = (file, plan, path, report) => {
  for (const [index, rule] of (plan.access ?? []).entries()) {
    const here = [...path, 'access', index];
    if (Object.values(rule).every((list: readonly unknown[]) => list.length === 0))
      report(here, `${printPath(here)}: allows everything`, 'say what is allowed, or remove access');
    checkAccessPorts(file, rule, here, report);
    for (const [at, text] of (rule.paths ?? []).entries()) {
      const why = whyNotAccessPath(text);
      if (why !== undefined) report([...here, 'paths', at], `${printPath(here)}.paths[${at}]: ${why[0]}`, why[1]);
    }
  }
};
function checkAccessPorts(file: OfferingFile, rule: AccessFile, here: DocumentPath, report: Report): void {
  const known = file.service.ports;
  const { ports = [], methods = [], paths = [], grpc_services: services = [] } = rule;
  for (const [index, number] of ports.entries()) {
    if (known.every((port) => port.number !== number))
      report(
        [...here, 'ports', index],
        `${printPath(here)}.ports[${index}]: the service has no port ${number}`,
        'use a number of service.ports',
      );
  }
  const chosen = ports.length === 0 ? known : known.filter(({ number }) => ports.includes(number));
  const byRequest = methods.length + paths.length > 0;
  if (byRequest && chosen.every(isTcp))
    report(here, `${printPath(here)}: methods and paths need an HTTP, HTTP2 or GRPC port`, 'remove them, or correct ports');
  if (services.length > 0) checkGrpc(chosen, byRequest, [...here, 'grpc_services'], report);
}
function checkGrpc(ports: readonly PortFile[], byRequest: boolean, path: DocumentPath, report: Report): void {
  if (!ports.some(({ protocol }) => protocol === 'GRPC' || protocol === 'HTTP2'))
    report(path, `${printPath(path)}: needs a GRPC or HTTP2 port`, 'remove it, or correct ports');
  if (byRequest) report(path, `${printPath(path)}: stands for methods and paths`, 'write two rules');
}
/** What is wrong and the fix; undefined: Istio takes the path. */
export function whyNotAccessPath(path: string): readonly [string, string] | undefined {
  const templates = path.includes('{') || path.includes('}');
  const bare = path.replaceAll('{**}', '').replaceAll('{*}', '');
  if (!templates) {
    const inner = path.startsWith('*') ? path.slice(1) : path.replace(/\*$/, '');
    return inner.includes('*') ? ['"*" stands at the beginning or the end only', 'use {*} for one segment'] : undefined;
  }
  if (/[{}*]/.test(bare)) return ['templates are {*} and {**}, without other "*"', 'use {*} for one segment and {**} for the rest'];
  const segments = path.split('/').slice(1);
  if (segments.some((segment) => /[{}]/.test(segment) && segment !== '{*}' && segment !== '{**}'))
    return ['a template is a whole segment', 'write /a/{*}/b'];
  const rest = segments.indexOf('{**}');
  if (rest >= 0 && segments.slice(rest + 1).some((segment) => segment.startsWith('{')))
    return ['nothing with a template may follow {**}', 'keep one {**}, as the last template'];
  return undefined;
}
const checkTraining: Check = (_file, plan, path, report) => {
  const seen = new Set<string>();
  for (const [index, { operation, behaviour, seconds }] of (plan.training ?? []).entries()) {
    const here = [...path, 'training', index];
    if (seen.has(operation)) report([...here, 'operation'], `${printPath(here)}: ${operation} has a rule already`, 'keep one of them');
    seen.add(operation);
    if (behaviour === 'delay' && (seconds ?? 0) === 0) report(here, `${printPath(here)}: delays by nothing`, 'add seconds');
  }
};
const checkDurations: Check = (_file, plan, path, report) => {
  const here = [...path];
  const visit = (step: string | number, value: unknown): void => {
    here.push(step);
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(index, item);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(key, item);
    } else if (typeof value === 'string' && durationKeys.has(String(step)) && durationMs(value) === 0) {
      report([...here], `${printPath(here)}: lasts nothing`, 'write 1ms or more, or leave it out');
    }
    here.pop();
  };
  for (const key of timed) visit(key, plan[key]);
};
const timed = ['routes', 'load_balancing', 'connection_pool', 'outlier_detection', 'max_connection_duration'] as const;
const durationKeys: ReadonlySet<string> = new Set([
  'timeout', 'per_try_timeout', 'duration', 'warmup', 'connect_timeout', 'idle_timeout', 'interval', 'base_ejection_time', 'max_connection_duration',
]); // prettier-ignore
