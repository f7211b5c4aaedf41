import type { RetiredPlan } from './shelf.ts';
import type { ServiceOffering } from './offering.ts';

/** What is published of an offering or a plan: its JSON and the hash of it. */
export interface Publication {
  readonly id: string;
  readonly name: string;
  readonly serviceOfferingId: string;
  /** Place within the offering; 0 for offerings. */
  readonly position: number;
  /** JSON text. */
  readonly definition: string;
  readonly contentHash: string;
}
/** The catalogue in the database: every offering and plan ever on the shelf, as last published; `present` while their source has them. Never deletes. */
export interface CatalogStore {
  /** Takes turns with other replicas until the end of the transaction. */
  lock(): Promise<void>;
  /** Content hash by id of what is marked present: a map of the caller's own. */
  presentHashes(kind: PublicationKind): Promise<Map<string, string>>;
  /** Inserts or replaces, and marks present. May be repeated. Offerings come before their plans. */
  publish(kind: PublicationKind, publications: readonly Publication[]): Promise<void>;
  /** Marks everything else as gone from its source. */
  retireAllBut(kind: PublicationKind, ids: readonly string[]): Promise<void>;
  /** Plans that are not among these. */
  retired(presentPlanIds: readonly string[]): Promise<readonly RetiredPlan[]>;
  /** Which of these plans have instances that are not gone. */
  withInstances(planIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Everything present, as last published by any replica. */
  lastPublished(): Promise<readonly ServiceOffering[]>;
  /** Changes whenever any replica has published. */
  revision(): Promise<string>;
}
export type PublicationKind = 'service_offering' | 'plan';
