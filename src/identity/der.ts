/** Distinguished Encoding Rules (X.690), the few forms that a certificate needs. Writers take finished DER parts and return finished DER. */
const head = (tag: number, length: number): Buffer => {
  if (length < 0x80) return Buffer.of(tag, length);
  if (length < 0x100) return Buffer.of(tag, 0x81, length);
  if (length < 0x10000) return Buffer.of(tag, 0x82, length >> 8, length & 0xff);
  throw new RangeError(`DER value of ${length} bytes: nothing that we write is longer than 65,535`);
};
export function derValue(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([head(tag, length), ...parts]);
}
export const derSequence = (...parts: readonly Uint8Array[]): Buffer => derValue(0x30, ...parts);
export const derSet = (...parts: readonly Uint8Array[]): Buffer => derValue(0x31, ...parts);
export const derOctets = (...parts: readonly Uint8Array[]): Buffer => derValue(0x04, ...parts);
/** Explicit context tag `[number]`. */
export const derExplicit = (number: number, ...parts: readonly Uint8Array[]): Buffer => derValue(0xa0 | number, ...parts);
/** Bits in whole bytes, `unused` of the last byte not counted. */
export const derBits = (bytes: Uint8Array, unused = 0): Buffer => derValue(0x03, Buffer.of(unused), bytes);
export const derTrue = Buffer.of(0x01, 0x01, 0xff);
export const derUtf8 = (text: string): Buffer => derValue(0x0c, Buffer.from(text, 'utf8'));

/** Non-negative integer from its big-endian bytes, in the shortest form. */
export function derInteger(bytes: Uint8Array): Buffer {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0) from += 1;
  const shortest = bytes.subarray(from);
  return (shortest[0] ?? 0) >= 0x80 ? derValue(0x02, Buffer.of(0), shortest) : derValue(0x02, shortest);
}

/** Object identifier from its dotted text (`2.5.29.17`). */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return derValue(0x06, Buffer.from(bytes));
}

/** Time in whole seconds: UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5). */
export function derTime(time: Date): Buffer {
  const text = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return time.getUTCFullYear() < 2050 ? derValue(0x17, Buffer.from(text.slice(2))) : derValue(0x18, Buffer.from(text));
}

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content, as they came. */
  readonly whole: Buffer;
}
/** The elements that lie side by side in `bytes`, not what is in them. RangeError: not DER of at most 65,535 bytes each, or bytes are left over. */
export function readDer(bytes: Buffer): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; at += elements.at(-1)?.whole.length ?? 0) elements.push(elementAt(bytes, at));
  return elements;
}
function elementAt(bytes: Buffer, at: number): DerElement {
  const tag = bytes.readUInt8(at);
  const first = bytes.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : lengthBytes <= 2 ? bytes.readUIntBE(at + 2, lengthBytes) : Infinity;
  const from = at + 2 + lengthBytes;
  const shortest = lengthBytes === 0 ? first < 0x80 : length >= (lengthBytes === 1 ? 0x80 : 0x100);
  if (!shortest || from + length > bytes.length) throw new RangeError(`the DER element at byte ${at} has a length that does not fit`);
  return { tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) };
}
