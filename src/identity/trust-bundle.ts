import { X509Certificate } from 'node:crypto';
import type { TrustedAuthorities } from './identity-issuer.ts';

/** SPIFFE trust bundle (standard "SPIFFE Trust Domain and Bundle", section 4): one JWK per root, exactly one certificate each, no `kid`. */
export function spiffeBundle({ roots, sequence }: TrustedAuthorities, refreshHintSeconds: number): Readonly<Record<string, unknown>> {
  const keys = roots.map((der) => {
    const { kty, crv, x, y } = new X509Certificate(der).publicKey.export({ format: 'jwk' });
    return { kty, crv, x, y, use: 'x509-svid', x5c: [Buffer.from(der).toString('base64')] };
  });
  return { keys, spiffe_sequence: sequence, spiffe_refresh_hint: refreshHintSeconds };
}
