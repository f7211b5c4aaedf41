import type { CredentialKind } from '../catalog/offering.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Consumer } from '../mesh/consumer.ts';
import type { Exposure } from '../mesh/contribution.ts';

export type BindingState = 'binding' | 'ready' | 'expired' | 'unbinding' | 'failed' | 'gone';

/** A service binding as stored. `life` counts re-uses of a deleted id: each life has its own reference, so an old certificate never fits a new grant. */
export interface ServiceBinding {
  readonly uuid: string;
  readonly platformId: string;
  readonly instanceUuid: string;
  readonly bindingId: string;
  readonly ref: string;
  readonly life: number;
  /** The same for a binding and its rotated successors. */
  readonly lineageId: string;
  readonly predecessorBindingId: string | null;
  readonly state: BindingState;
  readonly planId: string;
  readonly context: JsonObject;
  readonly bindResource: JsonObject;
  readonly parameters: JsonObject;
  readonly requestHash: string;
  readonly consumer: Consumer;
  /** What reports call the consumer; stable over rotation. */
  readonly consumerName: string;
  readonly principal: string;
  readonly credentialKind: CredentialKind;
  readonly csrPem: string | null;
  readonly exposure: Exposure;
  readonly lifeSeconds: number | null;
  readonly expiresAt: Date | null;
  readonly renewBefore: Date | null;
  /** Past expires_at, by the database's clock, when it was read. */
  readonly overdue: boolean;
}
