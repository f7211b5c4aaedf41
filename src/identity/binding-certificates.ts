import type { Clock } from '../kernel/clock.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import type { Random } from '../kernel/random.ts';
import { longestLeafSeconds } from './authority.ts';
import { publicKeyOfRequest } from './certificate-signing-request.ts';
import type { CertificateStore, RecordedCertificate } from './certificate-store.ts';
import { refuseClockSkew } from './clock-skew.ts';
import type { IdentityIssuer, IssuingAuthority } from './identity-issuer.ts';
import type { BindingCertificates, CertificateIntent, CertificateRequest, IssuedCertificate } from './identity-port.ts';
import { lintLeaf } from './lint-certificate.ts';
import { keyOfSerial } from './p256-key.ts';
import { pem } from './pem.ts';
import type { BrokerSecret } from './secret.ts';
import { newSerial } from './serial.ts';
import { parseSpiffeId } from './spiffe-id.ts';
import { spiffeBundle } from './trust-bundle.ts';
import { backdated, secondsAfter } from './validity.ts';

export interface BindingCertificatesParts {
  readonly issuer: IdentityIssuer;
  readonly store: CertificateStore;
  readonly secret: BrokerSecret;
  readonly clock: Clock;
  readonly random: Random;
  readonly refreshHintSeconds: number;
}
/** An intent without result after this long was left behind by a crash: signing takes milliseconds. */
export const intentSeconds = 60;
const shortestLifeSeconds = 60;
/** Each attempt is lost only to another worker of the same binding. */
const mostAttempts = 4;

/** A request whose parts were checked. `publicKey` null: ours to derive. */
interface Wanted {
  readonly bindingRef: string;
  readonly spiffeId: string;
  readonly publicKey: Buffer | null;
  readonly lifeSeconds: number;
}
type Recorded = RecordedCertificate & { readonly leaf: Uint8Array };
const isRecorded = (certificate: RecordedCertificate): certificate is Recorded =>
  certificate.leaf !== null && certificate.state === 'issued';

export function bindingCertificates(parts: BindingCertificatesParts): BindingCertificates {
  const { issuer, store, secret } = parts;
  return {
    async issue(request) {
      const wanted = check(request, issuer.trustDomain);
      for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
        const certificate = await lookOrSign(parts, wanted);
        if (certificate !== undefined) return certificate;
      }
      throw new BrokerError('unavailable', 'another worker is issuing for the same binding: try again', { retryAfterSeconds: 1 });
    },
    async credentialsOf(bindingRef) {
      const { certificates } = await store.ofBinding(bindingRef);
      const newest = certificates.find(isRecorded);
      if (newest === undefined) return undefined;
      const privateKeyPem = newest.keyOrigin === 'derived' ? pem('PRIVATE KEY', keyOfSerial(secret, newest.serial).privateKey) : null;
      return { ...toIssued(newest), privateKeyPem };
    },
    retire: (bindingRef) => store.retire(bindingRef),
    trustBundlePem: async () => (await issuer.trusted()).roots.map((der) => pem('CERTIFICATE', der)).join(''),
    trustBundle: async () => spiffeBundle(await issuer.trusted(), parts.refreshHintSeconds),
    async longestLifeSeconds() {
      const authority = await issuer.current();
      return longestLeafSeconds(authority, authority.now);
    },
    deniedSerials: () => store.denied(intentSeconds),
  };
}

function check({ bindingRef, spiffeId, csrPem, lifeSeconds }: CertificateRequest, trustDomain: string): Wanted {
  const id = parseSpiffeId(spiffeId);
  if (id.trustDomain !== trustDomain || id.path.length === 0) {
    throw new BrokerError('bad-request', `spiffe_id must lie in the binding trust domain, below spiffe://${trustDomain}/`, {
      field: 'spiffe_id',
    });
  }
  if (!Number.isInteger(lifeSeconds) || lifeSeconds < shortestLifeSeconds) {
    throw new BrokerError('bad-request', `the validity of a binding must be at least ${shortestLifeSeconds} s, in whole seconds`);
  }
  return { bindingRef, spiffeId, lifeSeconds, publicKey: csrPem === null ? null : publicKeyOfRequest(csrPem) };
}

/** Look, then act. undefined: another worker of the same binding was faster, look again. */
async function lookOrSign(parts: BindingCertificatesParts, wanted: Wanted): Promise<IssuedCertificate | undefined> {
  const authority = await parts.issuer.current();
  const held = await parts.store.ofBinding(wanted.bindingRef);
  if (held.retired) throw retired(wanted.bindingRef);
  const usable = held.certificates
    .filter(isRecorded)
    .find((certificate) => certificate.notAfter > authority.now && fits(certificate, wanted));
  if (usable !== undefined) return toIssued(usable);
  refuseClockSkew(parts.clock.now(), authority.now);
  const intent = intend(parts, wanted, authority);
  const outcome = await parts.store.recordIntent(
    wanted.bindingRef,
    wanted.publicKey === null ? 'derived' : 'csr',
    intent,
    held.certificates[0],
  );
  if (outcome === 'retired') throw retired(wanted.bindingRef);
  if (outcome === 'changed') return undefined;
  await point('W3');
  const leaf = await parts.issuer.sign(intent);
  await point('W4');
  lintLeaf(leaf, intent, authority.certificate);
  if (!(await parts.store.recordIssued(intent.serial, leaf))) return undefined;
  await point('W5');
  return toIssued({ ...intent, leaf, issuer: authority.certificate.raw });
}
const retired = (bindingRef: string): BrokerError =>
  new BrokerError('conflict', `the binding ${bindingRef} was unbound: no further certificate is made for it; bind again under a new id`);

function fits(certificate: Recorded, { publicKey, spiffeId }: Wanted): boolean {
  if (certificate.spiffeId !== spiffeId) return false;
  return publicKey === null ? certificate.keyOrigin === 'derived' : publicKey.equals(certificate.publicKey);
}

function intend({ random, secret }: BindingCertificatesParts, wanted: Wanted, authority: IssuingAuthority): CertificateIntent {
  const longest = longestLeafSeconds(authority, authority.now);
  if (wanted.lifeSeconds > longest) {
    const message = `a binding of ${wanted.lifeSeconds} s would live longer than half the life of the issuing certificate (${longest} s): lower the plan's validity`;
    throw new BrokerError('bad-request', message);
  }
  const serial = newSerial(random);
  return {
    serial,
    spiffeId: wanted.spiffeId,
    publicKey: wanted.publicKey ?? keyOfSerial(secret, serial).publicKey,
    notBefore: backdated(authority.now),
    notAfter: secondsAfter(authority.now, wanted.lifeSeconds),
    authorityId: authority.id,
  };
}

const toIssued = ({
  serial,
  spiffeId,
  notAfter,
  leaf,
  issuer,
}: Pick<Recorded, 'serial' | 'spiffeId' | 'notAfter' | 'leaf' | 'issuer'>): IssuedCertificate => ({
  serial,
  spiffeId,
  notAfter,
  leafDer: leaf,
  chainPem: pem('CERTIFICATE', leaf) + pem('CERTIFICATE', issuer),
});
