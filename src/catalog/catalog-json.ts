import type { Json, JsonObject } from '../kernel/json.ts';
import { jsonText, openText } from './json-text.ts';
import type { ApiDescription, Plan, ServiceOffering } from './offering.ts';

/**
 * Versions of the API between which the catalogue's shape changes (INT-01, INT-16): schemas since 2.13, retrievability since 2.14,
 * maintenance_info, maximum_polling_duration, plan_updateable and allow_context_updates since 2.15, binding_rotatable since 2.17.
 */
export const catalogGates = [11, 13, 14, 15, 17] as const;
export type CatalogGate = (typeof catalogGates)[number];

export const newestGate: CatalogGate = 17;
/** The newest gate that a client of 2.`apiMinor` understands; the oldest for what is older. */
export const gateFor = (apiMinor: number): CatalogGate => catalogGates.findLast((gate) => gate <= apiMinor) ?? 11;

/** The JSON text of one service of GET /v2/catalog. Nothing in it is ever null; keys come in a fixed order. */
export function serviceJson({ plans, ...offering }: ServiceOffering, gate: CatalogGate, publicUrl: string): string {
  const head: JsonObject = {
    name: offering.name,
    id: offering.id,
    description: offering.description,
    tags: offering.tags,
    bindable: offering.bindable,
    ...(gate >= 14 ? { instances_retrievable: true, bindings_retrievable: true } : {}),
    ...(gate >= 15 ? { allow_context_updates: true } : {}),
    plan_updateable: plans.some(({ planUpdateable }) => planUpdateable),
    metadata: { ...offering.metadata, ...links(offering, publicUrl) },
  };
  return `${openText(head)}"plans":[${plans.map((plan) => planJson(plan, gate)).join(',')}]}`;
}

function links({ name, apis }: Pick<ServiceOffering, 'name' | 'apis'>, publicUrl: string): Record<string, Json> {
  if (apis.length === 0) return {};
  const link = (api: ApiDescription): Json => ({
    name: api.name,
    kind: api.kind,
    url: `${publicUrl}/v1/offerings/${name}/apis/${api.name}`,
  });
  return { x_apis: apis.map(link) };
}
function planJson(plan: Plan, gate: CatalogGate): string {
  const head: JsonObject = {
    id: plan.id,
    name: plan.name,
    description: plan.description,
    metadata: plan.metadata,
    free: plan.free,
    bindable: plan.bindable,
    ...(gate >= 15 ? sinceMaintenance(plan) : {}),
    ...(gate >= 17 ? { binding_rotatable: plan.bindingRotatable } : {}),
  };
  return gate >= 13 ? `${openText(head)}"schemas":${schemasJson(plan.schemas)}}` : JSON.stringify(head);
}
function sinceMaintenance({ planUpdateable, maintenanceInfo, maximumPollingDurationSeconds }: Plan): Record<string, Json> {
  const known: Record<string, Json> = { plan_updateable: planUpdateable };
  if (maintenanceInfo !== null) {
    const { version, description } = maintenanceInfo;
    known['maintenance_info'] = description === null ? { version } : { version, description };
  }
  if (maximumPollingDurationSeconds !== null) known['maximum_polling_duration'] = maximumPollingDurationSeconds;
  return known;
}
const schemasJson = ({ create, update, bind }: Plan['schemas']): string =>
  `{"service_instance":{"create":{"parameters":${jsonText(create)}},"update":{"parameters":${jsonText(update)}}},"service_binding":{"create":{"parameters":${jsonText(bind)}}}}`;
