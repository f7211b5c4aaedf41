import type { Sql } from '../kernel/sql.ts';
import type { AuditLog } from './audit.ts';

const append = {
  name: 'audit_append',
  text: `insert into audit_event (actor, originating_identity, request_id, action, resource, outcome, detail) values ($1, $2, $3, $4, $5, $6, $7)`,
};
export const pgAuditLog = (sql: Sql): AuditLog => ({
  async append({ actor, originatingIdentity, requestId, action, resource, outcome, detail }) {
    const identity = originatingIdentity === null ? null : JSON.stringify(originatingIdentity);
    await sql.run(append, [actor, identity, requestId, action, resource, outcome, JSON.stringify(detail)]);
  },
});
