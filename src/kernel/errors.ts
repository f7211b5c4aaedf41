/**
 * Every refusal the product knows, without HTTP: each door (src/api/<contract>/errors.ts) maps all of them to a status,
 * and does not compile while one is missing.
 */
export type ErrorCode =
  | 'bad-request' // malformed or not allowed by a schema; the message names the field and the fix
  | 'unauthenticated'
  | 'forbidden' // authenticated, but this principal may not do that
  | 'not-found'
  | 'gone' // a delete of what does not exist (OSB UNB-04, DEP-04)
  | 'conflict' // same id, other attributes (OSB PRV-05, BND-06)
  | 'async-required' // OSB ASY-01
  | 'concurrency' // OSB CON-01
  | 'maintenance-conflict' // OSB PRV-21, UPD-13
  | 'requires-app' // OSB BND-21
  | 'plan-change-not-supported' // OSB UPD-05
  | 'route-conflict' // two bindings of one workload want different routes for the same requests
  | 'provision-failed' // a bind on an instance whose provision failed
  | 'too-large'
  | 'rate-limited' // context.retryAfterSeconds
  | 'timed-out' // a synchronous operation did not end in time and is being undone
  | 'unavailable' // database or mesh away; context.retryAfterSeconds
  | 'internal';

/** What callers may use beside the message, which is written for a person and names the field and the fix. */
export interface ErrorContext {
  readonly field?: string;
  readonly retryAfterSeconds?: number;
  /** The operation that ended so or is still running, for the log. */
  readonly operation?: string;
  /** forbidden only: the consumer namespace that was asked for. */
  readonly namespace?: string;
  /** OSB update only: whether the instance still works after the refusal (UPD-15). */
  readonly instanceUsable?: boolean;
  /** OSB update only: whether sending the same update again can succeed (ERR-04). */
  readonly updateRepeatable?: boolean;
}

export class BrokerError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;
  constructor(code: ErrorCode, message: string, context: ErrorContext = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BrokerError';
    this.code = code;
    this.context = context;
  }
}
