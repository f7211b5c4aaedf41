import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import type { LiveAuthority } from './authority.ts';
import type { AuthorityStore } from './authority-store.ts';

interface AuthorityRow {
  readonly id: string;
  readonly kind: 'root' | 'intermediate';
  readonly trust_domain: string;
  readonly certificate: Buffer;
  readonly wrapped_key: Buffer;
  readonly issuer_id: string | null;
  readonly active: boolean;
  readonly not_before: Date;
  readonly not_after: Date;
}
const toAuthority = (row: AuthorityRow): LiveAuthority => ({
  id: row.id,
  kind: row.kind,
  trustDomain: row.trust_domain,
  certificate: row.certificate,
  wrappedKey: row.wrapped_key,
  issuerId: row.issuer_id,
  active: row.active,
  notBefore: row.not_before,
  notAfter: row.not_after,
});
const live = {
  name: 'authority.live',
  text: `
select id, kind, trust_domain, certificate, wrapped_key, issuer_id, state = 'active' as active, not_before, not_after
  from authority
 where trust_domain = $1 and not_after > clock_timestamp()
 order by created_at, id`,
};
const clockAndSequence = {
  name: 'authority.sequence',
  text: `
select clock_timestamp() as now, (count(*) + count(*) filter (where not_after <= clock_timestamp()))::int as sequence
  from authority
 where trust_domain = $1 and kind = 'root'`,
};
const retire = `update authority set state = 'retired' where id = $1 and state = 'active'`;
const insert = `
insert into authority (id, kind, trust_domain, certificate, wrapped_key, issuer_id, state, not_before, not_after)
values ($1, $2, $3, $4, $5, $6, 'active', $7, $8)
on conflict (kind, trust_domain) where state = 'active' do nothing`;

export const pgAuthorityStore = (db: SqlDatabase): AuthorityStore => ({
  async live(trustDomain) {
    const { rows: clocks } = await db.run<{ now: Date; sequence: number }>(clockAndSequence, [trustDomain]);
    const { rows } = await db.run<AuthorityRow>(live, [trustDomain]);
    const [clock] = clocks;
    if (clock === undefined) throw new Error('an aggregate always answers one row');
    return { now: clock.now, sequence: clock.sequence, authorities: rows.map(toAuthority) };
  },
  activate: (authority, predecessorId) =>
    db.transaction(async (tx: Sql) => {
      if (predecessorId !== null && (await tx.run(retire, [predecessorId])).count === 0) return false;
      const { id, kind, trustDomain, certificate, wrappedKey, issuerId, notBefore, notAfter } = authority;
      return (await tx.run(insert, [id, kind, trustDomain, certificate, wrappedKey, issuerId, notBefore, notAfter])).count === 1;
    }),
});
