import type { Random } from '../kernel/random.ts';

/** 16 random bytes, hexadecimal; the first two bits are 01, so that the number is positive and always 16 bytes long: 126 random bits. */
export function newSerial(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}
