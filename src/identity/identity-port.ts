/** What must become a certificate; recorded before anything is signed. All of the certificate is a pure function of it and the authority. */
export interface CertificateIntent {
  /** 16 random bytes, hexadecimal, first bits 01. */
  readonly serial: string;
  readonly spiffeId: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly authorityId: string;
}
export interface IssuedCertificate {
  readonly serial: string;
  readonly spiffeId: string;
  readonly notAfter: Date;
  readonly leafDer: Uint8Array;
  /** PEM: leaf, then intermediates, no root. */
  readonly chainPem: string;
}
/** Off-mesh identities. `issue` may be repeated with the same key of binding: an unexpired certificate for the same key is returned again. */
export interface BindingCertificates {
  /**
   * Records the intent in its own transaction, signs, lints, records the result (W3–W5). `csrPem` null: the key is derived from the
   * broker's secret and the serial, never stored. An intent left without a result by a crash is voided and a new serial used.
   */
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
  /** The binding's certificate with, when the key is ours, its private key derived anew (PKCS#8 PEM). undefined: none issued. */
  credentialsOf(bindingRef: string): Promise<IssuedCredentials | undefined>;
  /** No further signature for the binding; its serials go to the deny list. Repeatable. */
  retire(bindingRef: string): Promise<void>;
  /** PEM of the authorities a relying party must trust. */
  trustBundlePem(): Promise<string>;
  /** The SPIFFE trust bundle (JWKS) of the binding trust domain. */
  trustBundle(): Promise<Readonly<Record<string, unknown>>>;
  /** Longest life a leaf may have now: half the issuing certificate's whole life, bounded by its own end. */
  longestLifeSeconds(): Promise<number>;
  /** Serials that a relying party must refuse although their certificates have not ended, soonest end first. */
  deniedSerials(): Promise<readonly DeniedSerial[]>;
}
export interface CertificateRequest {
  readonly bindingRef: string;
  /** In the binding trust domain, with a path. */
  readonly spiffeId: string;
  readonly csrPem: string | null;
  /** At least 60, at most `longestLifeSeconds`. Counted from the database's clock; the certificate begins 60 s earlier. */
  readonly lifeSeconds: number;
}
export interface DeniedSerial {
  readonly serial: string;
  readonly notAfter: Date;
}
export interface IssuedCredentials extends IssuedCertificate {
  readonly privateKeyPem: string | null;
}
