import type { AuditEntry } from './audit.ts';

/** A row of the audit log, as it is read. */
export interface AuditLine extends AuditEntry {
  /** Grows from row to row. */
  readonly id: string;
  readonly at: Date;
}
/** null: whatever it is. */
export interface AuditQuestion {
  /** Included. */
  readonly since: Date | null;
  /** Not included. */
  readonly until: Date | null;
  readonly action: string | null;
  readonly outcome: AuditEntry['outcome'] | null;
  readonly actor: string | null;
  /** A reference (`mb-…`), or the resource as rows show it. */
  readonly resource: string | null;
  readonly order: 'newest' | 'oldest';
  /** Id of the last row of the page before. */
  readonly after: string | null;
  readonly limit: number;
}
/** The read side of the audit log. Resources that have a reference (`mb-…`) are shown by it, in every row of theirs. */
export interface AuditTrail {
  lines(question: AuditQuestion): Promise<readonly AuditLine[]>;
}
