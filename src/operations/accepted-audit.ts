import type { AuditEntry } from '../audit/audit.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Caller } from './operation-port.ts';

/** The audit row of an accepted request; `ref`: of its resource. */
export const acceptedAudit = (caller: Caller, action: string, ref: string, detail: JsonObject): AuditEntry => ({
  actor: `platform:${caller.platform.name}`,
  originatingIdentity: caller.originatingIdentity,
  requestId: caller.requestId,
  action,
  resource: ref,
  outcome: 'accepted',
  detail,
});
