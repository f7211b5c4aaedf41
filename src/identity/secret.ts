import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { BrokerError } from '../kernel/errors.ts';
import type { Random } from '../kernel/random.ts';

/** What the broker's secret is used for; each purpose has a key of its own (HKDF-SHA-256, RFC 5869), so that no use weakens another. */
export type SecretPurpose = 'access-hmac' | 'ca-wrap' | 'binding-keys' | 'request-hashes' | 'fingerprint';

/** The one secret of a broker: 32 random bytes from MESHBROKER_SECRET_FILE, the same for all replicas. Its bytes are never handed out. */
export interface BrokerSecret {
  /** 32 bytes, always the same for the same secret and purpose. */
  subkey(purpose: SecretPurpose): Buffer;
  /** `length` bytes for one use named by `label` under a purpose. */
  derive(purpose: SecretPurpose, label: string, length: number): Buffer;
}
const secretBytes = 32;

export function brokerSecret(bytes: Uint8Array): BrokerSecret {
  if (bytes.length !== secretBytes)
    throw new BrokerError('internal', `the broker's secret must have ${secretBytes} bytes, not ${bytes.length}`);
  const root = Buffer.from(bytes);
  const expand = (key: Uint8Array, info: string, length: number): Buffer => Buffer.from(hkdfSync('sha256', key, '', info, length));
  const subkeys = new Map<SecretPurpose, Buffer>();
  const subkey = (purpose: SecretPurpose): Buffer => {
    const known = subkeys.get(purpose) ?? expand(root, `meshbroker/v1/${purpose}`, 32);
    subkeys.set(purpose, known);
    return known;
  };
  return { subkey: (purpose) => Buffer.from(subkey(purpose)), derive: (purpose, label, length) => expand(subkey(purpose), label, length) };
}
/** 16 hexadecimal characters that tell two secrets apart and say nothing about them: kept in the database, so that a wrong file is noticed. */
export const secretFingerprint = (secret: BrokerSecret): string => secret.derive('fingerprint', 'fingerprint', 8).toString('hex');

/** Where a wrapped value lives: bound into the ciphertext, so that it opens nowhere else. */
export interface WrapPlace {
  readonly table: string;
  readonly column: string;
  readonly rowId: string;
}
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const authenticated = (place: WrapPlace): Buffer => Buffer.from(JSON.stringify([version, place.table, place.column, place.rowId]));

/** AES-256-GCM: version (1 byte), random nonce (12), ciphertext, tag (16). Random nonces are safe for 2^32 values; a broker wraps a few per year. */
export function wrap(secret: BrokerSecret, place: WrapPlace, plain: Uint8Array, random: Random): Buffer {
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', secret.subkey('ca-wrap'), nonce, { authTagLength: tagBytes }).setAAD(authenticated(place));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, body, cipher.getAuthTag()]);
}
/** BrokerError `internal` when the bytes were changed, moved to another row or column, or wrapped under another secret. */
export function unwrap(secret: BrokerSecret, place: WrapPlace, wrapped: Uint8Array): Buffer {
  try {
    if (wrapped.length <= 1 + nonceBytes + tagBytes || wrapped[0] !== version) throw new Error('not a wrapped value of a known version');
    const nonce = wrapped.subarray(1, 1 + nonceBytes);
    const decipher = createDecipheriv('aes-256-gcm', secret.subkey('ca-wrap'), nonce, { authTagLength: tagBytes }).setAAD(
      authenticated(place),
    );
    decipher.setAuthTag(wrapped.subarray(wrapped.length - tagBytes));
    return Buffer.concat([decipher.update(wrapped.subarray(1 + nonceBytes, wrapped.length - tagBytes)), decipher.final()]);
  } catch (cause) {
    const where = `${place.table}.${place.column} of row ${place.rowId}`;
    throw new BrokerError(
      'internal',
      `${where} cannot be unwrapped: it was changed, or MESHBROKER_SECRET_FILE is not this database's secret`,
      {},
      cause,
    );
  }
}
