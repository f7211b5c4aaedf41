import type { Authority, LiveAuthority } from './authority.ts';

export interface LiveAuthorities {
  /** Clock of the database. */
  readonly now: Date;
  /** Those that have not ended, oldest first. */
  readonly authorities: readonly LiveAuthority[];
  /** Rises whenever the set of trusted roots changes: roots ever made plus roots ended. */
  readonly sequence: number;
}
export interface AuthorityStore {
  live(trustDomain: string): Promise<LiveAuthorities>;
  /**
   * Records `authority` as the active one of its kind and retires `predecessorId` (null: the first) in the same transaction.
   * false: another replica was faster and nothing is written; read again.
   */
  activate(authority: Authority, predecessorId: string | null): Promise<boolean>;
}
