import { uuidFromName } from '../kernel/ids.ts';
import type { Json, JsonObject } from '../kernel/json.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { MeshService, ServicePort } from '../mesh/mesh-service.ts';
import { decodeTraffic } from './decode-traffic.ts';
import { durationMs } from './duration.ts';
import type { ApiDescription, CredentialKind, Plan, ServiceOffering, Training } from './offering.ts';
import type { ApiFile, MetadataFile, OfferingFile, PlanFile, PortFile, ServiceFile } from './offering-file.ts';
import { planSchemas } from './parameter-schemas.ts';

const mediaTypes: Readonly<Record<ApiDescription['kind'], string>> = {
  openapi: 'application/openapi+yaml',
  asyncapi: 'application/asyncapi+yaml',
  grpc: 'text/plain; charset=utf-8',
};

/** UUIDv5 of the name, or what the file says: a rename without `id` is a new offering. */
export const offeringId = (file: { readonly id?: string; readonly name: string }): string =>
  file.id ?? uuidFromName(`service-offering/${file.name}`);
/** A plan without `id` keeps its id while offering id and plan name stay. */
export const planId = (ofOffering: string, file: { readonly id?: string; readonly name: string }): string =>
  file.id ?? uuidFromName(`plan/${ofOffering}/${file.name}`);

const ids = new WeakMap<OfferingFile, { readonly id: string; readonly planIds: readonly string[] }>();
/** The ids of an offering and, in order, of its plans; computed once per document. */
export function idsOf(file: OfferingFile): { readonly id: string; readonly planIds: readonly string[] } {
  const known = ids.get(file);
  if (known !== undefined) return known;
  const id = offeringId(file);
  const made = { id, planIds: file.plans.map((plan) => planId(id, plan)) };
  ids.set(file, made);
  return made;
}

/** The offering as it stands on the shelf. `file` has passed the schema and the rules; `apiTexts` holds each API file's text by its path. */
export function decodeOffering(file: OfferingFile, apiTexts: ReadonlyMap<string, string>): ServiceOffering {
  const { id, planIds } = idsOf(file);
  return {
    id,
    name: file.name,
    description: file.description,
    tags: file.tags ?? [],
    bindable: file.bindable ?? true,
    metadata: decodeMetadata(file.metadata ?? {}),
    mesh: decodeService(file.service),
    apis: (file.apis ?? []).map((api) => decodeApi(api, apiTexts.get(api.file) ?? '')),
    plans: file.plans.map((plan, index) => decodePlan(file, planIds[index] ?? planId(id, plan), plan)),
  };
}
/** Without the fields that were not given: the catalogue never says null (CAT-32). */
function given(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const known: Record<string, Json> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) known[key] = value;
  return known;
}
const decodeMetadata = (file: MetadataFile): JsonObject =>
  given({
    ...file.extra,
    displayName: file.display_name,
    longDescription: file.long_description,
    providerDisplayName: file.provider_display_name,
    documentationUrl: file.documentation_url,
    supportUrl: file.support_url,
    imageUrl: file.image_url,
    shareable: file.shareable,
  });
const decodePort = ({ name, number, protocol, target_port: targetPort }: PortFile): ServicePort =>
  targetPort === undefined ? { name, number, protocol } : { name, number, protocol, targetPort };
function decodeService(file: ServiceFile): MeshService {
  return {
    namespace: file.namespace,
    hosts: file.hosts,
    ports: file.ports.map(decodePort),
    workloadSelector: file.workload_selector,
    serviceAccount: file.service_account,
    subsets: file.subsets ?? [],
    grantForm: file.grant_form ?? 'verdict',
    waypoint: file.waypoint ?? null,
    existingCallers: file.existing_callers ?? [],
  };
}
function decodeApi({ name, kind, file }: ApiFile, text: string): ApiDescription {
  const json = file.endsWith('.json') && kind !== 'grpc';
  return { name, kind, mediaType: json ? mediaTypes[kind].replace('yaml', 'json') : mediaTypes[kind], text };
}
export const consumersOf = (file: PlanFile): readonly ConsumerKind[] => file.consumers ?? ['sidecar'];
export function credentialsOf(file: PlanFile): readonly CredentialKind[] {
  if (file.credentials !== undefined) return file.credentials;
  const kinds = consumersOf(file);
  const inMesh: readonly CredentialKind[] = kinds.some((kind) => kind !== 'off-mesh') ? ['mesh-identity'] : [];
  return kinds.includes('off-mesh') ? [...inMesh, 'x509-svid'] : inMesh;
}
const schemas = new WeakMap<PlanFile, Plan['schemas']>();
/** The schemas of a plan's parameters; the same objects whenever they are asked for. */
export function schemasOf(file: PlanFile): Plan['schemas'] {
  let known = schemas.get(file);
  if (known === undefined) {
    known = planSchemas(file.parameters ?? {}, consumersOf(file), credentialsOf(file));
    schemas.set(file, known);
  }
  return known;
}
function decodePlan(offering: OfferingFile, id: string, file: PlanFile): Plan {
  const kinds = consumersOf(file);
  const credentials = credentialsOf(file);
  return {
    id,
    name: file.name,
    description: file.description,
    free: isFree(file),
    bindable: file.bindable ?? offering.bindable ?? true,
    metadata: given({ displayName: file.display_name, bullets: file.bullets, costs: file.costs, x_price: file.price }),
    asynchronous: file.asynchronous ?? false,
    bindingRotatable: file.binding_rotatable ?? false,
    planUpdateable: file.plan_updateable ?? offering.plan_updateable ?? true,
    maintenanceInfo: decodeMaintenance(file.maintenance_info),
    maximumPollingDurationSeconds: file.maximum_polling_duration ?? null,
    consumerKinds: kinds,
    credentials,
    bindingValiditySeconds: file.binding_validity === undefined ? null : Math.floor(durationMs(file.binding_validity) / 1000),
    schemas: schemasOf(file),
    traffic: decodeTraffic(id, file),
    training: decodeTraining(file.training),
  };
}
const isFree = (file: PlanFile): boolean => file.free ?? (file.costs ?? []).length === 0;
const decodeMaintenance = (file: PlanFile['maintenance_info']): Plan['maintenanceInfo'] =>
  file === undefined ? null : { version: file.version, description: file.description ?? null };
const decodeTraining = (file: PlanFile['training']): Training | null =>
  file === undefined ? null : { rules: file.map(({ operation, behaviour, seconds }) => ({ operation, behaviour, seconds: seconds ?? 0 })) };
