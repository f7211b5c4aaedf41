import type { Consumer } from './consumer.ts';
import type { GrantForm, MeshService } from './mesh-service.ts';
import type { TrafficPlan } from './traffic-plan.ts';

/** What was ordered: offering and plan as they were when the instance was provisioned or last updated. Immutable, keyed by its hash. */
export interface PlanSnapshot {
  readonly offeringId: string;
  readonly offeringName: string;
  readonly planId: string;
  readonly planName: string;
  readonly service: MeshService;
  readonly traffic: TrafficPlan;
}
/** How far a binding is let into the mesh. Order of exposure: hidden → routed → granted; unbind goes the other way. */
export type Exposure = 'hidden' | 'routed' | 'granted';

/** A binding's part of the mesh: the planners' whole input. */
export interface Contribution {
  /** `mb-…` */
  readonly bindingRef: string;
  readonly instanceRef: string;
  /** Raw OSB ids, for annotations only. */
  readonly bindingId: string;
  readonly instanceId: string;
  /** Full SPIFFE ID of the caller (`spiffe://mesh.example.com/ns/web/sa/web-frontend`). */
  readonly principal: string;
  readonly consumer: Consumer;
  readonly exposure: Exposure;
  readonly snapshot: PlanSnapshot;
}
/** What the guard of an offering is compiled from: shared by all its instances, kept when the last one goes. */
export interface GuardDefinition {
  readonly offeringId: string;
  readonly offeringName: string;
  readonly service: MeshService;
  readonly plans: readonly GuardPlan[];
  /** Kept by us: forms of grant that the offering had before, whose bindings may still live. */
  readonly formerForms?: readonly GrantForm[];
}
export interface GuardPlan {
  readonly planId: string;
  readonly planName: string;
  readonly traffic: TrafficPlan;
  readonly consumerKinds: readonly Consumer['kind'][];
}
