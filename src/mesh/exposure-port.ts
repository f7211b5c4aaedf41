import type { Exposure, GuardDefinition } from './contribution.ts';

/** Fences a change: throws LeaseLost when the operation is no longer ours. Runs inside the change's own transaction, on its connection. */
export interface Fence {
  readonly operationId: string;
  readonly epoch: number;
}
/**
 * How operations change the mesh. Each method is one or more pairs of (transaction: record, bump the scopes' revisions, compile) and
 * (driver writes in order of exposure). All may be repeated; a repeat that finds everything settled writes nothing.
 */
export interface MeshExposure {
  /** Writes the offering's guard (strict mTLS, default deny, hooks, fence, limits, telemetry; the gateway's part when a plan takes off-mesh). */
  guard(fence: Fence, definition: GuardDefinition): Promise<void>;
  /** `npx meshbroker guard release`: removes it. Refused (`conflict`) while the offering has live bindings. */
  releaseGuard(fence: Fence, offeringId: string): Promise<void>;
  /** Moves a binding to an exposure: its routes at `routed`, its grant at `granted`, nothing at `hidden`. BrokerError `route-conflict`. */
  expose(fence: Fence, bindingRef: string, exposure: Exposure): Promise<void>;
  /** Compiles the binding's scopes anew, after its instance's snapshot changed. */
  refresh(fence: Fence, bindingRef: string): Promise<void>;
  /** Makes it effective (MeshDriver.publish). */
  publish(operationId: string, subject: string): Promise<void>;
  /**
   * Reads back: the target holds exactly what the bindings' scopes were compiled to, and nothing of what a hidden binding had. What it
   * does not hold counts as unwritten from then on, so that a repeat of the bindings' `expose` or `refresh` writes it again.
   */
  verify(bindingRefs: readonly string[]): Promise<boolean>;
  /** The same for the offering's guard, and for its lists that no binding has changed since; a repeat of `guard` writes it again. */
  verifyGuard(offeringId: string): Promise<boolean>;
}
