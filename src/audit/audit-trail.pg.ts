import type { SqlDatabase } from '../kernel/sql.ts';
import type { AuditLine, AuditQuestion, AuditTrail } from './audit-trail.ts';

/** Rows of the broker's own work know only the row id of a resource; the row of its acceptance has the reference. */
const columns = `a.id::text, a.at, a.actor, a.originating_identity as "originatingIdentity", a.request_id as "requestId", a.action,
  coalesce(a.detail ->> 'ref', (select r.detail ->> 'ref' from audit_event r
    where r.resource = a.resource and r.detail ->> 'ref' is not null order by r.id limit 1), a.resource) as resource, a.outcome, a.detail`;
const ofResource = (value: string): string => `a.resource = any(array(
  select ${value}::text union all select r.resource from audit_event r where r.detail ->> 'ref' = ${value}::text))`;

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
  where(since, (at) => `a.at >= ${at}`);
  where(until, (at) => `a.at < ${at}`);
  where(action, (name) => `a.action = ${name}`);
  where(outcome, (name) => `a.outcome = ${name}`);
  where(actor, (name) => `a.actor = ${name}`);
  where(resource, ofResource);
  where(after, (id) => `a.id ${order === 'newest' ? '<' : '>'} ${id}::bigint`);
  values.push(limit);
  const filter = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  const text = `select ${columns} from audit_event a ${filter} order by a.id ${order === 'newest' ? 'desc' : 'asc'} limit $${values.length}`;
  return { text, values };
}
