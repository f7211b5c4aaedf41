import type { BackgroundTask } from '../kernel/background.ts';
import { intentSeconds } from './binding-certificates.ts';
import type { CertificateStore } from './certificate-store.ts';
import type { IdentityIssuer } from './identity-issuer.ts';

const sweptAtOnce = 1000;

/** Makes authorities anew ahead of need, so that a bind never waits for it and half of the life always fits. */
export const renewAuthorities = (issuer: IdentityIssuer): BackgroundTask => ({
  name: 'identity-renew-authorities',
  everyMs: 60_000,
  async activate() {
    await issuer.current();
    return false;
  },
});
/** Voids what a crash left behind; deletes certificates, authorities and tombstones `keepSeconds` after their end. */
export const sweepCertificates = (store: CertificateStore, keepSeconds: number): BackgroundTask => ({
  name: 'identity-sweep-certificates',
  everyMs: 60_000,
  activate: () => store.sweep({ intentSeconds, keepSeconds, batch: sweptAtOnce }),
});
