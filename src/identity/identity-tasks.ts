import { tellCleaned, type BackgroundTask, type CleanUpObserver } from '../kernel/background.ts';
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
export const sweepCertificates = (store: CertificateStore, keepSeconds: number, observer?: CleanUpObserver): BackgroundTask => ({
  name: 'identity-sweep-certificates',
  everyMs: 60_000,
  async activate() {
    const { certificates, holders, authorities, more } = await store.sweep({ intentSeconds, keepSeconds, batch: sweptAtOnce });
    tellCleaned(observer, { certificates, 'certificate-holders': holders, authorities });
    return more;
  },
});
