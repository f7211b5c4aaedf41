import type { Sql } from '../kernel/sql.ts';
import type { Owner } from './owner.ts';

interface Subject {
  readonly attributionId: number;
  readonly principal: string;
  readonly host: string;
  readonly ambiguous: boolean;
}
/** Hosts of one principal that are told apart; callers write what they like into a Host header. */
const mostHosts = 1_000;

const asked = 'unnest($1::int[], $2::text[], $3::text[], $4::bool[]) with ordinality as a (attribution_id, principal, host, ambiguous, n)';
const find = {
  name: 'usage_subject_find',
  text: `select a.n::int as n, s.id from ${asked} join usage_subject s using (attribution_id, principal, host, ambiguous)`,
};
const make = {
  name: 'usage_subject_make',
  text: `insert into usage_subject (attribution_id, principal, host, ambiguous) select attribution_id, principal, host, ambiguous from ${asked}
    order by attribution_id, principal, host, ambiguous on conflict do nothing`,
};
const crowded = {
  name: 'usage_subject_crowded',
  text: `select principal from usage_subject where attribution_id = 0 and principal = any($1) group by principal having count(*) >= $2`,
};

/** Sets the owners' subject ids, made where they are missing. */
export async function subjectIds(sql: Sql, owners: readonly Owner[]): Promise<void> {
  const unknown = await findIds(sql, owners, owners.map(subjectOf));
  if (unknown.length === 0) return;
  const principals = [...new Set(unknown.filter(({ attributionId }) => attributionId === 0).map(({ caller }) => caller.principal))];
  const full = new Set((await sql.run<{ principal: string }>(crowded, [principals, mostHosts])).rows.map(({ principal }) => principal));
  const subjects = unknown.map(subjectOf).map((subject) => (full.has(subject.principal) ? { ...subject, host: '' } : subject));
  await sql.run(make, columns(subjects));
  const lost = await findIds(sql, unknown, subjects);
  if (lost.length > 0) throw new Error(`${lost.length} usage subjects could not be made`);
}
/** Those that have none yet. */
async function findIds(sql: Sql, owners: readonly Owner[], subjects: readonly Subject[]): Promise<readonly Owner[]> {
  const { rows } = await sql.run<{ n: number; id: number }>(find, columns(subjects));
  for (const { n, id } of rows) {
    const owner = owners[n - 1];
    if (owner !== undefined) owner.subjectId = id;
  }
  return owners.filter(({ subjectId }) => subjectId === 0);
}
const subjectOf = ({ attributionId, ambiguous, caller }: Owner): Subject =>
  attributionId === 0
    ? { attributionId, ambiguous: false, principal: caller.principal, host: caller.host }
    : { attributionId, ambiguous, principal: '', host: '' };
const columns = (subjects: readonly Subject[]): unknown[] => [
  subjects.map(({ attributionId }) => attributionId),
  subjects.map(({ principal }) => principal),
  subjects.map(({ host }) => host),
  subjects.map(({ ambiguous }) => ambiguous),
];
