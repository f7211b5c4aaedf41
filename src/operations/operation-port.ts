import type { PlatformPrincipal } from '../access/principal.ts';
import type { JsonObject } from '../kernel/json.ts';

/** Who asks, for the audit row. */
export interface Caller {
  readonly platform: PlatformPrincipal;
  readonly originatingIdentity: JsonObject | null;
  readonly requestId: string | null;
}
/** What last_operation answers: the wire's three states. */
export interface LastOperation {
  readonly state: 'in progress' | 'succeeded' | 'failed';
  readonly description: string;
  readonly kind: 'provision' | 'update' | 'deprovision' | 'bind' | 'unbind';
  /** Only of a failed update or deprovision. */
  readonly instanceUsable: boolean | null;
  /** Only of a failed update. */
  readonly updateRepeatable: boolean | null;
  readonly finishedAt: Date | null;
}
/** gone: the last thing that happened to this id is a finished deletion (tombstone). unknown: never seen or long forgotten. */
export type LastOperationOutcome = { readonly kind: 'found'; readonly operation: LastOperation } | { readonly kind: 'unknown' };
