import type { X509Certificate } from 'node:crypto';
import type { CertificateIntent } from './identity-port.ts';

/** The certificate that signs leaves now. */
export interface IssuingAuthority {
  readonly id: string;
  readonly certificate: X509Certificate;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Clock of the database at the moment of the answer: certificate times are counted from it. */
  readonly now: Date;
}
export interface TrustedAuthorities {
  /** DER of every root that a relying party must trust now, oldest first. */
  readonly roots: readonly Uint8Array[];
  /** Rises with every change of the roots, never falls. */
  readonly sequence: number;
}
/** Signs what was recorded before. Knows no bindings and records no certificate; everything may be repeated. */
export interface IdentityIssuer {
  readonly name: string;
  readonly trustDomain: string;
  /** Makes authorities that are missing or due, also when two replicas do so at the same moment. */
  current(): Promise<IssuingAuthority>;
  trusted(): Promise<TrustedAuthorities>;
  /** DER of the leaf: a pure function of intent and authority, but for the signature's random number. */
  sign(intent: CertificateIntent): Promise<Uint8Array>;
}
