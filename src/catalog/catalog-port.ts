import type { JsonObject } from '../kernel/json.ts';
import type { Plan, ServiceOffering } from './offering.ts';

export interface CatalogEntry {
  readonly offering: ServiceOffering;
  readonly plan: Plan;
  /** False when it left its source (CAT-30): a new order answers 400 with `why`. */
  readonly orderable: boolean;
  readonly why: string | null;
}
/** Answers from memory; the newest good catalogue. */
export interface Catalog {
  find(serviceOfferingId: string, planId: string): CatalogEntry | undefined;
  hasOffering(serviceOfferingId: string): boolean;
  offeringNamed(name: string): ServiceOffering | undefined;
  offeringById(id: string): ServiceOffering | undefined;
  /** Problems of a parameters object against the plan's schema, as one sentence that names the field and the fix; undefined: none. */
  whyParametersAreRefused(plan: Plan, kind: 'create' | 'update' | 'bind', parameters: JsonObject): string | undefined;
}
