import type { AuditLine, AuditTrail } from '../../audit/audit-trail.ts';
import type { Reply, ReplyHeaders, Request } from '../contract.ts';
import type { components, operations } from '../generated/platform.ts';
import { linkTo, page } from './page.ts';

type Schemas = components['schemas'];
const defaultLimit = 50;
const toApiLine = (line: AuditLine): Schemas['AuditEvent'] => ({
  id: line.id,
  at: line.at.toISOString(),
  actor: line.actor,
  originating_identity: line.originatingIdentity as Record<string, never> | null,
  request_id: line.requestId,
  action: line.action,
  resource: line.resource,
  outcome: line.outcome,
  detail: line.detail as Record<string, never>,
});

type Audit = operations['audit.list'];
/** NDJSON has a row on each line, and the address of the following page in the header Link. */
export const listAudit =
  (trail: AuditTrail) =>
  async ({ query, header }: Request<Audit>): Promise<Reply<Audit>> => {
    const limit = query.limit ?? defaultLimit;
    const moment = (text: string | undefined): Date | null => (text === undefined ? null : new Date(text));
    const lines = await trail.lines({
      since: moment(query.since),
      until: moment(query.until),
      action: query.action ?? null,
      outcome: query.outcome ?? null,
      actor: query.actor ?? null,
      resource: query.resource ?? null,
      order: query.order ?? 'newest',
      after: query.after ?? null,
      limit: limit + 1,
    });
    const found = page(lines, limit, (line) => line.id, toApiLine, linkTo('/v1/audit', query));
    const asked = query.format ?? (/application\/x-ndjson/i.test(header('accept') ?? '') ? 'ndjson' : 'json');
    return asked === 'json' ? found : toNdjson(found.body.items, found.headers);
  };
const toNdjson = (items: readonly Schemas['AuditEvent'][], headers: ReplyHeaders): Reply<Audit> => ({
  status: 200,
  type: 'application/x-ndjson',
  body: items.map((item) => `${JSON.stringify(item)}\n`).join(''),
  headers,
});
