import type { AuditEntry } from '../../src/audit/audit.ts';
import type { AuditTrail } from '../../src/audit/audit-trail.ts';

/** The read side of an audit log in memory: a row a second from midnight on. */
export const memoryTrail = (entries: readonly AuditEntry[]): AuditTrail => ({
  lines({ since, until, action, outcome, actor, resource, order, after, limit }) {
    const fits = (wanted: string | null, value: string | null): boolean => wanted === null || wanted === value;
    const rows = entries
      .map((entry, index) => ({ ...entry, id: String(index + 1), at: new Date(Date.UTC(2026, 10, 24, 0, 0, index)) }))
      .filter((row) => fits(action, row.action) && fits(outcome, row.outcome) && fits(actor, row.actor) && fits(resource, row.resource))
      .filter(({ at }) => (since === null || at >= since) && (until === null || at < until));
    const ordered = order === 'oldest' ? rows : rows.toReversed();
    const start =
      after === null ? 0 : ordered.findIndex(({ id }) => (order === 'oldest' ? Number(id) > Number(after) : Number(id) < Number(after)));
    return Promise.resolve(start < 0 ? [] : ordered.slice(start, start + limit));
  },
});
