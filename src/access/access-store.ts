import type { CredentialKind } from './credential.ts';

export interface PlatformRow {
  readonly id: string;
  readonly name: string;
  readonly mayBindFor: readonly string[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}
export interface CredentialRow {
  readonly id: string;
  readonly platformId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}
export interface TokenRow {
  readonly id: string;
  readonly kind: Exclude<CredentialKind, 'platform'>;
  readonly name: string;
  readonly createdAt: Date;
}
export interface NewCredential {
  readonly id: string;
  readonly kind: CredentialKind;
  readonly platformId: string | null;
  readonly name: string;
  readonly digest: Buffer;
}
/** Of a credential that may be used now: not revoked, not expired, its platform not revoked. */
export interface LiveCredential {
  readonly digest: Buffer;
  readonly kind: CredentialKind;
  /** Of the token; of the platform for its credentials. */
  readonly name: string;
  readonly platformId: string | null;
  readonly mayBindFor: readonly string[];
  readonly expiresInMs: number | null;
}
/** Reads and single writes may be repeated. Every change tells all replicas (channel `access_changed`) when its transaction commits. */
export interface AccessStore {
  findLive(digest: Buffer): Promise<LiveCredential | undefined>;
  /** false: the name is taken (also by a revoked platform). */
  insertPlatform(platform: Pick<PlatformRow, 'id' | 'name' | 'mayBindFor'>): Promise<boolean>;
  /** By name or id; locked until the transaction ends. */
  lockPlatform(nameOrId: string): Promise<PlatformRow | undefined>;
  /** By name, newest last; revoked ones too. */
  platforms(): Promise<readonly PlatformRow[]>;
  /** Live credentials of all platforms, oldest first. */
  credentials(): Promise<readonly CredentialRow[]>;
  /** false: the digest is known already, in whatever state. */
  insertCredential(credential: NewCredential): Promise<boolean>;
  /** All live credentials of the platform but one end after the overlap, unless they end before; answers when. */
  expireOthers(platformId: string, keepId: string, overlapSeconds: number): Promise<Date>;
  revokePlatform(platformId: string): Promise<void>;
  setMayBindFor(platformId: string, namespaces: readonly string[]): Promise<void>;
  /** The only live token of its kind and name from now on; a digest that was revoked lives again. */
  replaceToken(token: Omit<NewCredential, 'platformId' | 'kind'> & { readonly kind: TokenRow['kind'] }): Promise<void>;
  tokens(): Promise<readonly TokenRow[]>;
  /** false: none of this name is live. */
  revokeToken(kind: TokenRow['kind'], name: string): Promise<boolean>;
}
