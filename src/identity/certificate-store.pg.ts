import type { SqlDatabase } from '../kernel/sql.ts';
import type { CertificateState, CertificateStore, KeyOrigin, RecordedCertificate } from './certificate-store.ts';
import type { DeniedSerial } from './identity-port.ts';

interface CertificateRow {
  readonly serial: string;
  readonly spiffe_id: string;
  readonly public_key: Buffer;
  readonly key_origin: KeyOrigin;
  readonly authority_id: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly state: CertificateState;
  readonly leaf: Buffer | null;
  readonly issuer: Buffer;
}
type HolderRow = { readonly retired: boolean } & (CertificateRow | { readonly serial: null });
const toCertificate = (row: CertificateRow): RecordedCertificate => ({
  serial: row.serial,
  spiffeId: row.spiffe_id,
  publicKey: row.public_key,
  keyOrigin: row.key_origin,
  authorityId: row.authority_id,
  notBefore: row.not_before,
  notAfter: row.not_after,
  state: row.state,
  leaf: row.leaf,
  issuer: row.issuer,
});
const hasCertificate = (row: HolderRow): row is HolderRow & CertificateRow => row.serial !== null;

const ofBinding = {
  name: 'certificate.of_binding',
  text: `
select h.retired_at is not null as retired, c.serial, c.spiffe_id, c.public_key, c.key_origin, c.authority_id, c.not_before, c.not_after, c.state, c.leaf,
       a.certificate as issuer
  from certificate_holder h
  left join certificate c on c.binding_ref = h.binding_ref
  left join authority a on a.id = c.authority_id
 where h.binding_ref = $1
 order by c.created_at desc, c.serial`,
};
/** Takes the holder's row lock; no row when the binding is retired. */
const hold = {
  name: 'certificate.hold',
  text: `
insert into certificate_holder as h (binding_ref) values ($1)
on conflict (binding_ref) do update set binding_ref = excluded.binding_ref where h.retired_at is null`,
};
const newest = {
  name: 'certificate.newest',
  text: 'select serial, state from certificate where binding_ref = $1 order by created_at desc, serial limit 1',
};
const voidIntents = { name: 'certificate.void', text: `update certificate set state = 'void' where binding_ref = $1 and state = 'intent'` };
const insertIntent = {
  name: 'certificate.intend',
  text: `
insert into certificate (serial, binding_ref, spiffe_id, public_key, key_origin, authority_id, not_before, not_after)
values ($1, $2, $3, $4, $5, $6, $7, $8)`,
};
const issued = {
  name: 'certificate.issued',
  text: `update certificate set state = 'issued', leaf = $2 where serial = $1 and state = 'intent'`,
};
const retireHolder = `
insert into certificate_holder as h (binding_ref, retired_at) values ($1, clock_timestamp())
on conflict (binding_ref) do update set retired_at = coalesce(h.retired_at, excluded.retired_at)`;
const retireCertificates = `
update certificate set state = case state when 'issued' then 'retired' else 'void' end where binding_ref = $1 and state in ('issued', 'intent')`;
const denied = `
select serial, not_after as "notAfter"
  from certificate
 where not_after > clock_timestamp()
   and (state in ('void', 'retired') or state = 'intent' and created_at < clock_timestamp() - make_interval(secs => $1))
 order by not_after, serial`;

const sweepIntents = `
update certificate set state = 'void' where serial in (
  select serial from certificate where state = 'intent' and created_at < clock_timestamp() - make_interval(secs => $1)
   limit $2 for update skip locked) and state = 'intent'`;
const pruneCertificates = `
delete from certificate where serial in (
  select serial from certificate where not_after < clock_timestamp() - make_interval(secs => $1) and state <> 'intent' limit $2)`;
const pruneHolders = `
delete from certificate_holder h where h.binding_ref in (
  select binding_ref from certificate_holder r
   where r.retired_at < clock_timestamp() - make_interval(secs => $1) and not exists (select from certificate c where c.binding_ref = r.binding_ref) limit $2)`;
const pruneAuthorities = `
delete from authority where id in (
  select id from authority a
   where a.kind = 'intermediate' and a.state = 'retired' and a.not_after < clock_timestamp() - make_interval(secs => $1)
     and not exists (select from certificate c where c.authority_id = a.id) limit $2)`;

export const pgCertificateStore = (db: SqlDatabase): CertificateStore => ({
  async ofBinding(bindingRef) {
    const { rows } = await db.run<HolderRow>(ofBinding, [bindingRef]);
    return { retired: rows[0]?.retired ?? false, certificates: rows.filter(hasCertificate).map(toCertificate) };
  },
  recordIntent: (bindingRef, keyOrigin, intent, lastSeen) =>
    db.transaction(async (tx) => {
      if ((await tx.run(hold, [bindingRef])).count === 0) return 'retired';
      const { rows } = await tx.run<Pick<CertificateRow, 'serial' | 'state'>>(newest, [bindingRef]);
      if (rows[0]?.serial !== lastSeen?.serial || rows[0]?.state !== lastSeen?.state) return 'changed';
      if (lastSeen?.state === 'intent') await tx.run(voidIntents, [bindingRef]);
      const { serial, spiffeId, publicKey, authorityId, notBefore, notAfter } = intent;
      await tx.run(insertIntent, [serial, bindingRef, spiffeId, publicKey, keyOrigin, authorityId, notBefore, notAfter]);
      return 'recorded';
    }),
  recordIssued: async (serial, leaf) => (await db.run(issued, [serial, leaf])).count === 1,
  retire: (bindingRef) =>
    db.transaction(async (tx) => {
      await tx.run(retireHolder, [bindingRef]);
      await tx.run(retireCertificates, [bindingRef]);
    }),
  denied: async (intentSeconds) => (await db.run<DeniedSerial>(denied, [intentSeconds])).rows,
  async sweep({ intentSeconds, keepSeconds, batch }) {
    const { count: voided } = await db.run(sweepIntents, [intentSeconds, batch]);
    const { count: certificates } = await db.run(pruneCertificates, [keepSeconds, batch]);
    const { count: holders } = await db.run(pruneHolders, [keepSeconds, batch]);
    const { count: authorities } = await db.run(pruneAuthorities, [keepSeconds, batch]);
    return { certificates, holders, authorities, more: Math.max(voided, certificates, holders, authorities) >= batch };
  },
});
