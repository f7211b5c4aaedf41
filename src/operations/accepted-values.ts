import type { AuditEntry } from '../audit/audit.ts';
import type { NewOperation } from './operation-store.ts';

/** The last nine values of an accept statement: operation id, input, deadline in seconds, then the audit row without its resource. */
export const acceptedValues = (operation: NewOperation, audit: AuditEntry): readonly unknown[] => [
  operation.id,
  JSON.stringify(operation.input),
  operation.deadlineSeconds,
  audit.actor,
  audit.originatingIdentity === null ? null : JSON.stringify(audit.originatingIdentity),
  audit.requestId,
  audit.action,
  audit.outcome,
  JSON.stringify(audit.detail),
];
