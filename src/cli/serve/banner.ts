import type { ShelfOffering } from '../../catalog/offering.ts';
import { counted } from '../counted.ts';
import type { FirstAccess } from './first-access.ts';

export interface BannerFacts {
  readonly version: string;
  readonly url: string;
  readonly access: FirstAccess;
  /** null: driver memory. */
  readonly meshDirectory: string | null;
  readonly gitRemote: string | null;
  /** null: DATABASE_URL. */
  readonly databaseDirectory: string | null;
  readonly shelf: readonly ShelfOffering[];
  readonly catalog: { readonly directory: string; readonly problems: number };
}

/** Which offering the example orders: a plan that works with a plain bind and at once. */
function example(shelf: readonly ShelfOffering[]): { readonly serviceId: string; readonly planId: string } | undefined {
  for (const { offering, orderablePlanIds } of shelf) {
    const plan = offering.plans.find(
      (each) =>
        orderablePlanIds.has(each.id) &&
        !each.asynchronous &&
        each.bindable &&
        each.training === null &&
        each.consumerKinds.includes('sidecar'),
    );
    if (plan !== undefined) return { serviceId: offering.id, planId: plan.id };
  }
  return undefined;
}
const quoted = (value: unknown): string => `'${JSON.stringify(value)}'`;

function curls(url: string, user: string, shelf: readonly ShelfOffering[]): readonly (readonly [string, string])[] {
  const osb = `curl -s -u ${user} -H 'X-Broker-API-Version: 2.17'`;
  const ids = example(shelf);
  const order = { ...(ids === undefined ? {} : { service_id: ids.serviceId, plan_id: ids.planId }) };
  const where = { organization_guid: 'acme', space_guid: 'web' };
  const context = { platform: 'kubernetes', namespace: 'web', clusterid: 'first' };
  const put = `${osb} -H 'Content-Type: application/json' -X PUT ${url}/v2/service_instances/first`;
  return [
    ['The shelf', `${osb} ${url}/v2/catalog`],
    ...(ids === undefined
      ? []
      : [['Order and bind', `${put} -d ${quoted({ ...order, ...where, context })} && ${put}/service_bindings/first -d ${quoted({ ...order, context })}`] as const]), // prettier-ignore
    ['What was used', `curl -s -u ${user} '${url}/v1/usage/report?group_by=consumer,offering,meter&window=day'`],
  ];
}

function shelfLine({ directory, problems }: BannerFacts['catalog'], offerings: number): string {
  if (problems === 0) return `${counted(offerings, 'offering')} of ${directory}`;
  const kept = offerings === 0 ? 'nothing can be ordered' : `the last good one stays, of ${counted(offerings, 'offering')}`;
  return `${counted(problems, 'problem')} in ${directory}, ${kept}: npx meshbroker catalog lint ${directory}`;
}

/** What a person sees who started the broker in a terminal. */
export function banner(facts: BannerFacts): string {
  const { version, url, access, meshDirectory, gitRemote, databaseDirectory, shelf, catalog } = facts;
  const password = access.password ?? '(as in MESHBROKER_PLATFORM)';
  const lines: (readonly [string, string])[] = [
    ['Platform', `user ${access.user}, password ${password}`],
    ['Mesh objects', meshDirectory === null ? 'in memory only (MESHBROKER_MESH=memory)' : `${meshDirectory}${gitRemote === null ? '' : `, pushed to ${gitRemote}`}`],
    ['Database', databaseDirectory === null ? 'DATABASE_URL' : `${databaseDirectory} (embedded PostgreSQL)`],
    ['Catalogue', shelfLine(catalog, shelf.length)],
    ['Documents', `${url}/docs`],
  ]; // prettier-ignore
  const user = access.password === null ? `${access.user}:$PASSWORD` : `${access.user}:${access.password}`;
  const about = lines.map(([name, value]) => `  ${name.padEnd(14)}${value}`);
  const calls = curls(url, user, shelf).flatMap(([name, line]) => [`  ${name}`, `    ${line}`]);
  return ['', `  Meshbroker ${version} listens on ${url}`, '', ...about, '', ...calls, '', ''].join('\n');
}
