import type { Caller } from './caller.ts';
import type { Resolution } from './resolve.ts';

/** Whose an event is, and their number in the ledger; 0 until it is known. */
export interface Owner extends Resolution {
  readonly caller: Caller;
  subjectId: number;
}
/** A caller as events write it, and the answer that it had last. */
export interface KnownCaller extends Caller {
  /** Of principal, policy and host as events write them. */
  readonly checksum: number;
  owner: Owner | undefined;
}
