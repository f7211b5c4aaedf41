/** What the door asks of the observing part; implemented in src/observe. */
export interface RequestMetrics {
  /** One finished request. `operation`: operationId, or `none` where no operation matched. */
  request(labels: { readonly contract: string; readonly operation: string; readonly status: number }, seconds: number): void;
  /** Everything, in the Prometheus text format. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}
export interface ReadinessCheck {
  /** `database`, `catalogue`, `mesh` … */
  readonly name: string;
  readonly ok: boolean;
  /** For a person; never a secret. With `ok`: empty. */
  readonly reasons: readonly string[];
}
export interface Readiness {
  /** Never throws: what does not answer in time is a check that is not ok. `ready` false: 503. */
  check(): Promise<{ readonly ready: boolean; readonly checks: readonly ReadinessCheck[] }>;
}
/** The SPIFFE trust bundle (JWKS); see BindingCertificates. */
export interface TrustBundleSource {
  trustBundle(): Promise<Readonly<Record<string, unknown>>>;
}
