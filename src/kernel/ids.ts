import { createHash, hash } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

function base32(bytes: Uint8Array, length: number): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += alphabet.charAt((value >> bits) & 31);
    }
  }
  return text;
}

/**
 * The public reference of a resource: `mb-` and 20 base32 characters (100 bits) of sha256 over the parts, each ended by NUL.
 * Deterministic, never built from user text: the same word is object name, label value, `/v1/bindings/{ref}` and last SPIFFE segment.
 */
export function reference(...parts: readonly string[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part).update('\0');
  return `mb-${base32(digest.digest(), 20)}`;
}
/** Of a service binding: depends on the platform, because two platforms may use the same binding id (AMB-39). */
export const bindingReference = (platformId: string, bindingId: string, generation = 0): string =>
  generation === 0 ? reference(platformId, bindingId) : reference(platformId, bindingId, String(generation));
export const instanceReference = (platformId: string, instanceId: string): string => reference('instance', platformId, instanceId);

export const sha256Hex = (text: string): string => hash('sha256', text, 'hex');
export const isReference = (text: string): boolean => /^mb-[a-z2-7]{20}$/.test(text);

const namespace = Buffer.from('9d1f2c4a8b5e4f0c9a7d3e6b1c2d4f58', 'hex');
/** UUIDv5 (RFC 9562 5.5) of a name in Meshbroker's namespace: ids of offerings and plans that give none. */
export function uuidFromName(name: string): string {
  const digest = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'buffer').subarray(0, 16);
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
