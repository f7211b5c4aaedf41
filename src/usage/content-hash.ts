/**
 * 53 bits of a fast, non-cryptographic hash. Only tells an honest sender's changed event from a repeated one; what must not collide
 * (the key) is SHA-256.
 */
export function contentHash(text: string): number {
  let [a, b] = [0x1f83d9ab, 0x5be0cd19];
  for (let n = 0; n < text.length; n += 1) {
    const unit = text.charCodeAt(n);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x85ebca77);
    a = (a << 13) | (a >>> 19);
  }
  a = Math.imul(a ^ (a >>> 16), 0xc2b2ae3d) ^ Math.imul(b ^ (b >>> 13), 0x27d4eb2f);
  b = Math.imul(b ^ (b >>> 16), 0xc2b2ae3d) ^ Math.imul(a ^ (a >>> 13), 0x27d4eb2f);
  return (b >>> 0) * 0x20_0000 + (a >>> 11);
}
