import type { JsonObject } from '../kernel/json.ts';
import type { ConsumerKind } from '../mesh/consumer.ts';
import type { GrantForm, Protocol, Subset } from '../mesh/mesh-service.ts';
import type { LoadBalancing } from '../mesh/traffic-plan.ts';
import type { ApiDescription, CredentialKind, TrainedOperation } from './offering.ts';

/** A document of an offering file after schemas/offering.schema.json accepted it: file spelling (snake_case), nothing filled in. */
export interface OfferingFile {
  readonly id?: string;
  readonly name: string;
  readonly description: string;
  readonly tags?: readonly string[];
  readonly bindable?: boolean;
  readonly plan_updateable?: boolean;
  readonly metadata?: MetadataFile;
  readonly service: ServiceFile;
  readonly apis?: readonly ApiFile[];
  readonly plans: readonly PlanFile[];
}
export interface MetadataFile {
  readonly display_name?: string;
  readonly long_description?: string;
  readonly provider_display_name?: string;
  readonly documentation_url?: string;
  readonly support_url?: string;
  readonly image_url?: string;
  readonly shareable?: boolean;
  readonly extra?: JsonObject;
}
export interface PortFile {
  readonly name: string;
  readonly number: number;
  readonly protocol: Protocol;
  readonly target_port?: number;
}
type Labels = Readonly<Record<string, string>>;
export interface ServiceFile {
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly ports: readonly PortFile[];
  readonly workload_selector: Labels;
  readonly service_account: string;
  readonly subsets?: readonly Subset[];
  readonly grant_form?: GrantForm;
  readonly waypoint?: string;
  readonly existing_callers?: readonly string[];
}
export interface ApiFile {
  readonly name: string;
  readonly kind: ApiDescription['kind'];
  readonly file: string;
}
export interface PlanFile extends TrafficFile {
  readonly id?: string;
  readonly name: string;
  readonly description: string;
  readonly display_name?: string;
  readonly bullets?: readonly string[];
  readonly free?: boolean;
  readonly price?: string;
  readonly costs?: readonly { readonly amount: Readonly<Record<string, number>>; readonly unit: string }[];
  readonly bindable?: boolean;
  readonly asynchronous?: boolean;
  readonly binding_rotatable?: boolean;
  readonly plan_updateable?: boolean;
  readonly maintenance_info?: { readonly version: string; readonly description?: string };
  readonly maximum_polling_duration?: number;
  readonly consumers?: readonly ConsumerKind[];
  readonly credentials?: readonly CredentialKind[];
  readonly binding_validity?: string;
  readonly parameters?: ParametersFile;
  readonly test?: boolean;
  readonly training?: readonly {
    readonly operation: TrainedOperation;
    readonly behaviour: 'delay' | 'fail' | 'hang';
    readonly seconds?: number;
  }[];
}
export interface ParametersFile {
  readonly provision?: JsonObject;
  readonly update?: JsonObject;
  readonly bind?: JsonObject;
}
/** The keys of a plan that say what happens to traffic. */
export interface TrafficFile {
  readonly access?: readonly AccessFile[];
  readonly routes?: readonly RouteFile[];
  readonly retry_budget?: { readonly percent: number; readonly min_retry_concurrency?: number };
  readonly load_balancing?: {
    readonly algorithm?: LoadBalancing['algorithm'];
    readonly consistent_hash_header?: string;
    readonly warmup?: string;
  };
  readonly locality?: { readonly failover_priority: readonly string[] };
  readonly connection_pool?: {
    readonly max_connections?: number;
    readonly connect_timeout?: string;
    readonly max_pending_requests?: number;
    readonly max_requests?: number;
    readonly idle_timeout?: string;
  };
  readonly outlier_detection?: {
    readonly consecutive_5xx_errors?: number;
    readonly consecutive_gateway_errors?: number;
    readonly interval?: string;
    readonly base_ejection_time?: string;
    readonly max_ejection_percent?: number;
  };
  readonly limits?: { readonly requests_per_second?: number; readonly burst?: number; readonly requests_per_month?: number };
  readonly max_connection_duration?: string;
  readonly route_priority?: number;
}
export interface AccessFile {
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly grpc_services?: readonly string[];
  readonly ports?: readonly number[];
}
export interface MatchFile {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}
export interface RouteFile {
  readonly name: string;
  readonly match?: {
    readonly path?: MatchFile;
    readonly headers?: Readonly<Record<string, MatchFile>>;
    readonly methods?: readonly string[];
  };
  readonly split?: readonly { readonly subset?: string; readonly weight: number }[];
  readonly timeout?: string;
  readonly retries?: { readonly attempts: number; readonly per_try_timeout?: string; readonly retry_on?: readonly string[] };
  readonly mirror?: { readonly host?: string; readonly subset?: string; readonly percent?: number };
  readonly fault?: {
    readonly delay?: { readonly duration: string; readonly percent: number };
    readonly abort?: { readonly status: number; readonly percent: number };
  };
}
