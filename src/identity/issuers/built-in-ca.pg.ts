import type { BackgroundTask, CleanUpObserver } from '../../kernel/background.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Random } from '../../kernel/random.ts';
import type { SqlDatabase } from '../../kernel/sql.ts';
import { pgAuthorityStore } from '../authority-store.pg.ts';
import { bindingCertificates } from '../binding-certificates.ts';
import { pgCertificateStore } from '../certificate-store.pg.ts';
import type { BindingCertificates } from '../identity-port.ts';
import { renewAuthorities, sweepCertificates } from '../identity-tasks.ts';
import type { BrokerSecret } from '../secret.ts';
import { builtInCa } from './built-in-ca.ts';

export interface IdentityParts {
  readonly db: SqlDatabase;
  readonly secret: BrokerSecret;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: IdentitySettings;
  readonly observer?: CleanUpObserver;
}
export interface IdentitySettings {
  readonly bindingTrustDomain: string;
  /** Default 90 days: plans may be valid for half of it. */
  readonly intermediateLifeSeconds?: number;
  /** Default 10 years. */
  readonly rootLifeSeconds?: number;
  /** Default 300: how often a relying party reads the trust bundle. */
  readonly refreshHintSeconds?: number;
  /** Default 30 days, never below 72 h (as tombstones, AMB-03): ended certificates are kept so long. */
  readonly keepSeconds?: number;
}
export interface Identity {
  readonly certificates: BindingCertificates;
  readonly tasks: readonly BackgroundTask[];
}
const day = 86_400;
const shortestKeepSeconds = 3 * day;

/** Off-mesh identities from the built-in CA, all in one database. Makes nothing until first used or until a task runs. */
export function createIdentity({ db, secret, clock, random, settings, observer }: IdentityParts): Identity {
  const lives = { rootSeconds: settings.rootLifeSeconds ?? 3650 * day, intermediateSeconds: settings.intermediateLifeSeconds ?? 90 * day };
  const issuer = builtInCa({ store: pgAuthorityStore(db), secret, clock, random, trustDomain: settings.bindingTrustDomain, lives });
  const store = pgCertificateStore(db);
  const keepSeconds = Math.max(shortestKeepSeconds, settings.keepSeconds ?? 30 * day);
  return {
    certificates: bindingCertificates({ issuer, store, secret, clock, random, refreshHintSeconds: settings.refreshHintSeconds ?? 300 }),
    tasks: [renewAuthorities(issuer), sweepCertificates(store, keepSeconds, observer)],
  };
}
