import type { Sql } from '../kernel/sql.ts';
import type { AccessStore, CredentialRow, LiveCredential, PlatformRow, TokenRow } from './access-store.ts';

const findLive = {
  name: 'access_find_live',
  text: `select c.digest, c.kind, coalesce(p.name, c.name) as name, c.platform_id as "platformId", coalesce(p.may_bind_for, '{}') as "mayBindFor",
                (extract(epoch from c.expires_at - clock_timestamp()) * 1000)::float8 as "expiresInMs"
           from access_credential c left join platform p on p.id = c.platform_id
          where c.digest = $1 and c.revoked_at is null and p.revoked_at is null and (c.expires_at is null or c.expires_at > clock_timestamp())`,
};
const platformColumns = `id, name, may_bind_for as "mayBindFor", created_at as "createdAt", revoked_at as "revokedAt"`;
const live = `revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`;
const tell = `select pg_notify('access_changed', '')`;

export const pgAccessStore = (sql: Sql): AccessStore => ({ ...reads(sql), ...platformChanges(sql), ...credentialChanges(sql) });

function reads(sql: Sql): Pick<AccessStore, 'findLive' | 'platforms' | 'credentials' | 'tokens'> {
  return {
    async findLive(digest) {
      return (await sql.run<LiveCredential>(findLive, [digest])).rows[0];
    },
    async platforms() {
      return (await sql.run<PlatformRow>(`select ${platformColumns} from platform order by name`)).rows;
    },
    async credentials() {
      const text = `select id, platform_id as "platformId", created_at as "createdAt", expires_at as "expiresAt"
                      from access_credential where kind = 'platform' and ${live} order by created_at, id`;
      return (await sql.run<CredentialRow>(text)).rows;
    },
    async tokens() {
      const text = `select id, kind, name, created_at as "createdAt" from access_credential where kind <> 'platform' and ${live} order by kind, name`;
      return (await sql.run<TokenRow>(text)).rows;
    },
  };
}

/** Runs a statement; when it changed something, all replicas hear of it at commit. */
const changer =
  (sql: Sql) =>
  async (text: string, values: readonly unknown[]): Promise<number> => {
    const { count } = await sql.run(text, values);
    if (count > 0) await sql.run(tell);
    return count;
  };

function platformChanges(sql: Sql): Pick<AccessStore, 'insertPlatform' | 'lockPlatform' | 'revokePlatform' | 'setMayBindFor'> {
  const change = changer(sql);
  return {
    async insertPlatform({ id, name, mayBindFor }) {
      const text = 'insert into platform (id, name, may_bind_for) values ($1, $2, $3) on conflict do nothing';
      return (await change(text, [id, name, mayBindFor])) === 1;
    },
    async lockPlatform(nameOrId) {
      const text = `select ${platformColumns} from platform where name = $1 or id::text = $1 order by name = $1 desc limit 1 for update`;
      return (await sql.run<PlatformRow>(text, [nameOrId])).rows[0];
    },
    async revokePlatform(platformId) {
      await change('update platform set revoked_at = clock_timestamp() where id = $1 and revoked_at is null', [platformId]);
      const text = 'update access_credential set revoked_at = clock_timestamp() where platform_id = $1 and revoked_at is null';
      await change(text, [platformId]);
    },
    async setMayBindFor(platformId, namespaces) {
      await change('update platform set may_bind_for = $2 where id = $1', [platformId, namespaces]);
    },
  };
}

function credentialChanges(sql: Sql): Pick<AccessStore, 'insertCredential' | 'expireOthers' | 'replaceToken' | 'revokeToken'> {
  const change = changer(sql);
  return {
    async insertCredential({ id, kind, platformId, name, digest }) {
      const text = 'insert into access_credential (id, kind, platform_id, name, digest) values ($1, $2, $3, $4, $5) on conflict do nothing';
      return (await change(text, [id, kind, platformId, name, digest])) === 1;
    },
    async expireOthers(platformId, keepId, overlapSeconds) {
      const text = `select clock_timestamp() + $1 * interval '1 second' as "end"`;
      const end = (await sql.run<{ end: Date }>(text, [overlapSeconds])).rows[0]?.end;
      if (end === undefined) throw new Error('the database answered no time');
      const expire = `update access_credential set expires_at = least(expires_at, $3) where platform_id = $1 and id <> $2 and ${live}`;
      await change(expire, [platformId, keepId, end]);
      return end;
    },
    async replaceToken({ id, kind, name, digest }) {
      const retire = `update access_credential set revoked_at = clock_timestamp() where kind = $1 and name = $2 and digest <> $3 and revoked_at is null`;
      await change(retire, [kind, name, digest]);
      const text = `insert into access_credential (id, kind, name, digest) values ($1, $2, $3, $4)
                    on conflict (digest) do update set kind = excluded.kind, name = excluded.name, platform_id = null, expires_at = null, revoked_at = null`;
      await change(text, [id, kind, name, digest]);
    },
    async revokeToken(kind, name) {
      const text = `update access_credential set revoked_at = clock_timestamp() where kind = $1 and name = $2 and ${live}`;
      return (await change(text, [kind, name])) > 0;
    },
  };
}
