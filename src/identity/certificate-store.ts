import type { CertificateIntent, DeniedSerial } from './identity-port.ts';

/** Where the key came from: `derived` keys can be made again from the broker's secret and the serial, `csr` keys we never had. */
export type KeyOrigin = 'csr' | 'derived';
/** intent → issued | void; issued → retired. */
export type CertificateState = 'intent' | 'issued' | 'void' | 'retired';

export interface RecordedCertificate extends CertificateIntent {
  readonly keyOrigin: KeyOrigin;
  readonly state: CertificateState;
  /** DER; null until it is recorded. */
  readonly leaf: Uint8Array | null;
  /** DER of the authority that signed or was to sign. */
  readonly issuer: Uint8Array;
}
export interface HeldCertificates {
  /** No further certificate will be made for the binding. */
  readonly retired: boolean;
  /** Newest first. */
  readonly certificates: readonly RecordedCertificate[];
}
export interface SweepLimits {
  /** An intent older than this was left behind by a crash: void. */
  readonly intentSeconds: number;
  /** Certificates, authorities and tombstones are deleted this long after their end. */
  readonly keepSeconds: number;
  /** At most so many rows of each kind at once. */
  readonly batch: number;
}
export interface Swept {
  /** Deleted rows. */
  readonly certificates: number;
  readonly holders: number;
  readonly authorities: number;
  /** A batch was full, there may be more. */
  readonly more: boolean;
}
/** `retired`, `changed` (the newest is another one or in another state since): nothing is written. */
export type IntentOutcome = 'recorded' | 'retired' | 'changed';
export interface CertificateStore {
  ofBinding(bindingRef: string): Promise<HeldCertificates>;
  /** Own transaction: voids an earlier intent of the binding, then records this one. `lastSeen` is the newest that `ofBinding` showed. */
  recordIntent(
    bindingRef: string,
    keyOrigin: KeyOrigin,
    intent: CertificateIntent,
    lastSeen: RecordedCertificate | undefined,
  ): Promise<IntentOutcome>;
  /** intent → issued. false: the intent was voided meanwhile, the certificate must not be used. */
  recordIssued(serial: string, leaf: Uint8Array): Promise<boolean>;
  /** Repeatable. Also without any certificate: a late `recordIntent` is refused. */
  retire(bindingRef: string): Promise<void>;
  /** Unexpired serials that nobody may use: void, retired, and intents without result after `intentSeconds`. */
  denied(intentSeconds: number): Promise<readonly DeniedSerial[]>;
  /** Repeatable. */
  sweep(limits: SweepLimits): Promise<Swept>;
}
