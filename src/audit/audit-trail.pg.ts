import type { SqlDatabase } from '../kernel/sql.ts';
import type { AuditLine, AuditQuestion, AuditTrail } from './audit-trail.ts';

const columns = `id::text, at, actor, originating_identity as "originatingIdentity", request_id as "requestId", action, resource, outcome, detail`;

/** Every question is planned for itself: which index is best depends on what is asked. */
export const pgAuditTrail = (database: SqlDatabase): AuditTrail => ({
  lines: (question) =>
    database.bulk(async (tx) => {
      const { text, values } = statementOf(question);
      return (await tx.run<AuditLine>(text, values)).rows;
    }),
});

function statementOf({ since, until, action, outcome, actor, resource, order, after, limit }: AuditQuestion): {
  readonly text: string;
  readonly values: readonly unknown[];
} {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const where = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === null) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  where(since, (at) => `at >= ${at}`);
  where(until, (at) => `at < ${at}`);
  where(action, (name) => `action = ${name}`);
  where(outcome, (name) => `outcome = ${name}`);
  where(actor, (name) => `actor = ${name}`);
  where(resource, (ref) => `resource = ${ref}`);
  where(after, (id) => `id ${order === 'newest' ? '<' : '>'} ${id}::bigint`);
  values.push(limit);
  const filter = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  const text = `select ${columns} from audit_event a ${filter} order by a.id ${order === 'newest' ? 'desc' : 'asc'} limit $${values.length}`;
  return { text, values };
}
