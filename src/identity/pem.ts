export type PemLabel = 'CERTIFICATE' | 'PRIVATE KEY';

/** One PEM block (RFC 7468), ending with a line feed, so that blocks can simply follow each other. */
export function pem(label: PemLabel, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
