import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../kernel/random.ts';
import type { Principal } from './principal.ts';

export type CredentialKind = Principal['kind'];
const prefixes: Readonly<Record<CredentialKind, string>> = { platform: 'mbp_', admin: 'mba_', collector: 'mbc_' };

/** 256 random bits behind a prefix that secret scanners can find. Shown once, kept nowhere. */
export const newSecret = (kind: CredentialKind, random: Random): string => prefixes[kind] + random.bytes(32).toString('base64url');
export const looksLikeSecret = (text: string): boolean => Object.values(prefixes).some((prefix) => text.startsWith(prefix));

/**
 * What is kept of a secret: HMAC-SHA-256 under a key derived from the broker's secret. The user name is part of it, so that one
 * look-up by digest decides: wrong name and wrong password cost the same. Bearer tokens have no name.
 */
export function credentialDigest(key: Uint8Array, userName: string | null, secret: string): Buffer {
  const hmac = createHmac('sha256', key);
  hmac.update(userName === null ? 'bearer\0' : `basic\0${Buffer.byteLength(userName)}\0${userName}\0`);
  return hmac.update(secret).digest();
}
export const sameDigest = (a: Uint8Array, b: Uint8Array): boolean => a.byteLength === b.byteLength && timingSafeEqual(a, b);
