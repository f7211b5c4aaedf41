import { createECDH, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { BrokerSecret } from './secret.ts';

/** A P-256 key in its three usual shapes. */
export interface P256Key {
  /** DER SubjectPublicKeyInfo, 91 bytes. */
  readonly publicKey: Buffer;
  /** DER PKCS#8 with the public key in it, 138 bytes. */
  readonly privateKey: Buffer;
}
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Seed bytes for a key: 128 bits more than the order, so that the reduction's bias is below 2^-128 (FIPS 186-5, A.2.1). */
export const p256SeedBytes = 48;

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
/** Everything of a P-256 SubjectPublicKeyInfo (RFC 5480) before the uncompressed point. */
export const spkiHead = hex('3059301306072a8648ce3d020106082a8648ce3d030107034200');
/** PKCS#8 (RFC 5958) around ECPrivateKey (RFC 5915): head, scalar, middle, point. */
const pkcs8Head = hex('308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420');
const pkcs8Middle = hex('a144034200');

/** Pure function of 48 uniform bytes. Fixed templates, because OpenSSL's encoders cost ten times the key itself (2026-11). */
export function p256KeyFromSeed(seed: Uint8Array): P256Key {
  if (seed.length !== p256SeedBytes) throw new RangeError(`a P-256 seed has ${p256SeedBytes} bytes, not ${seed.length}`);
  const number = BigInt(`0x${Buffer.from(seed).toString('hex')}`);
  const scalar = hex(((number % (order - 1n)) + 1n).toString(16).padStart(64, '0'));
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar);
  const point = pair.getPublicKey();
  return { publicKey: Buffer.concat([spkiHead, point]), privateKey: Buffer.concat([pkcs8Head, scalar, pkcs8Middle, point]) };
}
/** The key of the certificate with this serial. Derived anew each time it is needed and never stored: a copy of the database holds no key. */
export const keyOfSerial = (secret: BrokerSecret, serial: string): P256Key =>
  p256KeyFromSeed(secret.derive('binding-keys', `serial ${serial}`, p256SeedBytes));

export const privateKeyObject = (pkcs8: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
