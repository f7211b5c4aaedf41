import { describe, expect, test } from 'vitest';
import { systemRandom } from '../kernel/random.ts';
import { brokerSecret, secretFingerprint, unwrap, wrap } from './secret.ts';

const secret = brokerSecret(Buffer.alloc(32, 7));
const place = { table: 'authority', column: 'wrapped_key', rowId: '1' };
const plain = Buffer.from('the private key of an authority');

describe("the broker's secret", () => {
  test('gives each purpose its own key, always the same', () => {
    const purposes = ['access-hmac', 'ca-wrap', 'binding-keys', 'request-hashes', 'fingerprint'] as const;
    const keys = purposes.map((purpose) => secret.subkey(purpose).toString('hex'));
    expect(new Set(keys).size).toBe(purposes.length);
    expect(purposes.map((purpose) => brokerSecret(Buffer.alloc(32, 7)).subkey(purpose).toString('hex'))).toEqual(keys);
  });
  test('keeps its keys the same from release to release', () => {
    expect(secret.subkey('access-hmac').toString('hex')).toMatchInlineSnapshot(
      `"ef3776c8ae5b1b7ea9e3702c5f63b4936e5060f6925df70890bc7fb9ea068497"`,
    );
    expect(secretFingerprint(secret)).toMatchInlineSnapshot(`"7d4f68d92dffce9c"`);
  });
  test('is not changed by a caller that overwrites what it was given', () => {
    secret.subkey('ca-wrap').fill(0);
    expect(secret.subkey('ca-wrap')).not.toEqual(Buffer.alloc(32));
  });
  test('must have 32 bytes', () => {
    expect(() => brokerSecret(Buffer.alloc(31))).toThrow('must have 32 bytes, not 31');
  });
  test('has a fingerprint that tells another secret', () => {
    expect(secretFingerprint(brokerSecret(Buffer.alloc(32, 8)))).not.toBe(secretFingerprint(secret));
  });
});

describe('a wrapped key', () => {
  const wrapped = wrap(secret, place, plain, systemRandom);
  test('opens in its own place', () => {
    expect(unwrap(secret, place, wrapped)).toEqual(plain);
  });
  test('is never the same twice and does not hold the key', () => {
    expect(wrap(secret, place, plain, systemRandom)).not.toEqual(wrapped);
    expect(wrapped.includes(plain.subarray(0, 8))).toBe(false);
  });
  test('is refused whichever of its bits is flipped', () => {
    for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
      const bent = Buffer.from(wrapped);
      bent.writeUInt8(bent.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => unwrap(secret, place, bent)).toThrow('authority.wrapped_key of row 1 cannot be unwrapped');
    }
  });
  test('is refused whatever is cut off or added', () => {
    for (let length = 0; length < wrapped.length; length += 1)
      expect(() => unwrap(secret, place, wrapped.subarray(0, length))).toThrow('cannot be unwrapped');
    expect(() => unwrap(secret, place, Buffer.concat([wrapped, Buffer.of(0)]))).toThrow('cannot be unwrapped');
  });
  test.each([{ rowId: '2' }, { column: 'certificate' }, { table: 'certificate' }])('is refused in another place: %j', (other) => {
    expect(() => unwrap(secret, { ...place, ...other }, wrapped)).toThrow('cannot be unwrapped');
  });
  test('is refused under another secret', () => {
    expect(() => unwrap(brokerSecret(Buffer.alloc(32, 8)), place, wrapped)).toThrow("is not this database's secret");
  });
});
