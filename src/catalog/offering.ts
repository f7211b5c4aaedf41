import type { JsonObject } from '../kernel/json.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { MeshService } from '../mesh/mesh-service.ts';
import type { TrafficPlan } from '../mesh/traffic-plan.ts';

/** A service offering as it stands on the shelf: decoded from its source, every default filled in. Plain JSON. */
export interface ServiceOffering {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly bindable: boolean;
  /** OSB profile names: displayName, longDescription, providerDisplayName, documentationUrl, supportUrl, imageUrl … */
  readonly metadata: JsonObject;
  readonly mesh: MeshService;
  readonly apis: readonly ApiDescription[];
  readonly plans: readonly Plan[];
}
/** Kept, served at `/v1/offerings/{name}/apis/{api}`, linked from the metadata. */
export interface ApiDescription {
  readonly name: string;
  readonly kind: 'openapi' | 'grpc' | 'asyncapi';
  readonly mediaType: string;
  readonly text: string;
}
export type CredentialKind = 'mesh-identity' | 'x509-svid';
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly free: boolean;
  readonly bindable: boolean;
  readonly metadata: JsonObject;
  readonly asynchronous: boolean;
  readonly bindingRotatable: boolean;
  readonly planUpdateable: boolean;
  readonly maintenanceInfo: { readonly version: string; readonly description: string | null } | null;
  readonly maximumPollingDurationSeconds: number | null;
  readonly consumerKinds: readonly ConsumerKind[];
  readonly credentials: readonly CredentialKind[];
  /** How long a binding lives; null: until unbind (mesh identity), or as long as the issuer allows (X.509). */
  readonly bindingValiditySeconds: number | null;
  /** JSON Schemas (draft-04, with `$schema`) of the parameters. */
  readonly schemas: { readonly create: JsonObject; readonly update: JsonObject; readonly bind: JsonObject };
  readonly traffic: TrafficPlan;
  /** Only with MESHBROKER_TRAINING=true. */
  readonly training: Training | null;
}
export type TrainedOperation = 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind';
/** A plan for platform engineers who test their client: what a named operation does instead of simply working. */
export interface Training {
  readonly rules: readonly {
    readonly operation: TrainedOperation;
    readonly behaviour: 'delay' | 'fail' | 'hang';
    readonly seconds: number;
  }[];
}
/** An offering or plan that left its source stays known while it has instances: listed, not orderable. */
export interface ShelfOffering {
  readonly offering: ServiceOffering;
  readonly orderable: boolean;
  readonly orderablePlanIds: ReadonlySet<string>;
}
