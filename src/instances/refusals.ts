import type { Catalog, CatalogEntry } from '../catalog/catalog-port.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';

export function whyMaintenanceConflicts({ plan }: CatalogEntry, version: string | null): BrokerError | undefined {
  if (version === null || version === plan.maintenanceInfo?.version) return undefined;
  const current = plan.maintenanceInfo === null ? 'the plan has none' : `the plan is at ${plan.maintenanceInfo.version}`;
  return new BrokerError(
    'maintenance-conflict',
    `maintenance_info.version: "${version}" does not match, ${current}; fetch the catalog again`,
  );
}
export const whyAsyncRequired = ({ plan }: CatalogEntry, acceptsIncomplete: boolean): BrokerError | undefined =>
  plan.asynchronous && !acceptsIncomplete ? asyncRequired() : undefined;
export function requireAsync(asynchronous: boolean, acceptsIncomplete: boolean): void {
  if (asynchronous && !acceptsIncomplete) throw asyncRequired();
}
const asyncRequired = (): BrokerError => new BrokerError('async-required', 'add accepts_incomplete=true');

export function whyParameters(
  deps: { readonly catalog: Catalog },
  { plan }: CatalogEntry,
  kind: 'create' | 'update' | 'bind',
  parameters: JsonObject,
): BrokerError | undefined {
  const why = deps.catalog.whyParametersAreRefused(plan, kind, parameters);
  return why === undefined ? undefined : new BrokerError('bad-request', why, { field: 'parameters' });
}
