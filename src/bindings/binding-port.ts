import type { JsonObject } from '../kernel/json.ts';
import type { Caller, LastOperationOutcome } from '../operations/operation-port.ts';
import type { DeleteOutcome, DeleteRequest, Done } from '../instances/instance-port.ts';

export interface BindRequest {
  readonly instanceId: string;
  readonly bindingId: string;
  /** null only with a predecessor (ROT-02). */
  readonly serviceId: string | null;
  readonly planId: string | null;
  readonly context: JsonObject | null;
  readonly bindResource: JsonObject | null;
  readonly parameters: JsonObject | null;
  readonly predecessorBindingId: string | null;
  readonly acceptsIncomplete: boolean;
}
export interface Endpoint {
  readonly host: string;
  readonly ports: readonly string[];
  readonly protocol: 'tcp';
}
export interface BindingView {
  readonly credentials: JsonObject;
  readonly endpoints: readonly Endpoint[];
  readonly metadata: { readonly expiresAt: Date | null; readonly renewBefore: Date | null };
  readonly parameters: JsonObject | null;
}
export type BindOutcome =
  | ({ readonly kind: 'created'; readonly binding: BindingView } & Done) // 201
  | ({ readonly kind: 'exists'; readonly binding: BindingView } & Done) // 200
  | { readonly kind: 'accepted'; readonly operation: string }; // 202: nothing else in the body (ASY-10)

/** Service bindings of OSB 2.17; refusals as in InstanceService plus requires-app, route-conflict, forbidden (namespace not granted). Order: BND-23, UNB-06. */
export interface BindingService {
  bind(caller: Caller, request: BindRequest): Promise<BindOutcome>;
  unbind(caller: Caller, instanceId: string, bindingId: string, request: DeleteRequest): Promise<DeleteOutcome>;
  /** not-found: unknown, other instance, still binding, unbinding (AMB-12). */
  fetch(caller: Caller, instanceId: string, bindingId: string): Promise<BindingView>;
  lastOperation(caller: Caller, instanceId: string, bindingId: string, operation: string | null): Promise<LastOperationOutcome>;
}
