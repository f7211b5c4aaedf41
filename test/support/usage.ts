import type { Clock } from '../../src/kernel/clock.ts';
import type { SqlDatabase } from '../../src/kernel/sql.ts';
import type { Attribution } from '../../src/usage/attribution.ts';
import type { Usage } from '../../src/usage/create-usage.pg.ts';
import { createUsage } from '../../src/usage/create-usage.pg.ts';
import type { IncomingEvent, ReportLine, ReportQuestion } from '../../src/usage/usage-port.ts';

export const noon = new Date('2026-11-24T12:00:00Z');
export const fixedClock = (at: Date = noon): Clock => ({ now: () => at });
export const usageOn = (database: SqlDatabase, clock = fixedClock(), keepDays = 400): Usage =>
  createUsage({ database, clock, settings: { keepDays } });

export interface EventChanges {
  readonly id?: string;
  readonly source?: string;
  readonly time?: string;
  readonly type?: string;
  readonly subject?: string | null;
  readonly data?: IncomingEvent['data'];
}
export const webPrincipal = 'spiffe://mesh.example.com/ns/web/sa/web-frontend';
export const reviewsHost = 'reviews.bookinfo.svc.cluster.local';
/** One request by web-frontend to reviews. */
export const requestEvent = (index: number, { data, ...changes }: EventChanges = {}): IncomingEvent => ({
  index,
  id: `e-${index}`,
  source: 'urn:test',
  type: 'dev.meshbroker.request.v1',
  time: '2026-11-24T11:00:00Z',
  subject: null,
  data: { principal: webPrincipal, host: reviewsHost, code: 200, request_bytes: 3, response_bytes: 5, ...(data as object) },
  ...changes,
});

export const attribution = (name: string, changes: Partial<Attribution> = {}): Attribution => ({
  bindingRef: `mb-${name.padEnd(20, 'a')}`,
  lineageId: `lineage-${name}`,
  instanceRef: `mb-${`instance${name}`.padEnd(20, 'a')}`,
  platformId: '00000000-0000-4000-8000-000000000001',
  organization: 'org-1',
  offeringId: 'o-reviews',
  offeringName: 'reviews',
  planId: 'p-canary',
  planName: 'canary',
  consumer: 'web/web-frontend',
  principal: webPrincipal,
  hosts: [reviewsHost],
  ...changes,
});
/** Since a day long before all events of the tests. */
export async function attributed(
  database: SqlDatabase,
  usage: Usage,
  of: Attribution,
  from = '2026-01-01T00:00:00Z',
  to: string | null = null,
): Promise<void> {
  await usage.attributionOn(database).open(of);
  await database.run('update attribution set valid_from = $2, valid_to = $3 where binding_ref = $1 and valid_to is null', [
    of.bindingRef,
    from,
    to,
  ]);
}

export const question = (changes: Partial<ReportQuestion> = {}): ReportQuestion => ({
  platformId: null,
  bindingRef: null,
  groupBy: ['consumer', 'meter'],
  window: 'total',
  from: new Date('2026-11-01T00:00:00Z'),
  to: new Date('2026-12-01T00:00:00Z'),
  timeZone: 'UTC',
  ...changes,
});
/** `web/web-frontend reviews requests 3`; what no binding explains has a question mark in front. */
export const shown = (lines: readonly ReportLine[]): string[] =>
  lines.map(({ attributed: known, keys, meter, total }) => [...(known ? [] : ['?']), ...Object.values(keys), meter, total].join(' '));
export const totals = async (usage: Usage, changes: Partial<ReportQuestion> = {}): Promise<string[]> =>
  shown((await usage.reports.report(question(changes))).lines);

/** Until nothing is left to roll up. */
export async function rollUp(usage: Usage): Promise<void> {
  const [task] = usage.tasks;
  while ((await task?.activate(AbortSignal.timeout(30_000))) === true);
}
