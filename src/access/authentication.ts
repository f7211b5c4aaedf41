import type { AccessStore, LiveCredential } from './access-store.ts';
import { credentialDigest, sameDigest } from './credential.ts';
import type { Principal } from './principal.ts';

/** A good credential: who it is, and for how long that may be believed without asking again. */
export interface Authenticated {
  readonly principal: Principal;
  /** null: it does not expire by itself. */
  readonly expiresInMs: number | null;
}
/** Checks credentials against the database. undefined: not good, for whatever reason. May be repeated; never logs what it is given. */
export interface Authentication {
  password(userName: string, password: string): Promise<Authenticated | undefined>;
  bearer(token: string): Promise<Authenticated | undefined>;
}
/** `hmacKey`: 32 bytes derived from the broker's secret (purpose access-hmac). */
export function authentication(store: Pick<AccessStore, 'findLive'>, hmacKey: Uint8Array): Authentication {
  const check = async (digest: Buffer): Promise<Authenticated | undefined> => {
    const live = await store.findLive(digest);
    if (live === undefined || !sameDigest(live.digest, digest)) return undefined;
    return { principal: toPrincipal(live), expiresInMs: live.expiresInMs };
  };
  return {
    password: (userName, password) => check(credentialDigest(hmacKey, userName, password)),
    bearer: (token) => check(credentialDigest(hmacKey, null, token)),
  };
}
function toPrincipal({ kind, name, platformId, mayBindFor }: LiveCredential): Principal {
  if (kind !== 'platform') return { kind, name };
  if (platformId === null) throw new Error(`the credential of platform ${name} names no platform`);
  return { kind, platformId, name, mayBindFor };
}
