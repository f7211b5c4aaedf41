import type { KeyObject } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { Random } from '../../kernel/random.ts';
import type { Authority, AuthorityLives, AuthorityStep, LiveAuthority } from '../authority.ts';
import { nextAuthority } from '../authority.ts';
import type { AuthorityStore } from '../authority-store.ts';
import type { CertificateFields, CertificateIssuer } from '../certificate-der.ts';
import { authorityName, intermediateCertificate, keyIdentifier, leafCertificate, rootCertificate } from '../certificate-der.ts';
import { refuseClockSkew } from '../clock-skew.ts';
import type { IdentityIssuer } from '../identity-issuer.ts';
import { p256KeyFromSeed, p256SeedBytes, privateKeyObject } from '../p256-key.ts';
import type { BrokerSecret, WrapPlace } from '../secret.ts';
import { unwrap, wrap } from '../secret.ts';
import { newSerial } from '../serial.ts';
import { formatSpiffeId } from '../spiffe-id.ts';
import { backdated, secondsAfter } from '../validity.ts';

export interface BuiltInCaParts {
  readonly store: AuthorityStore;
  readonly secret: BrokerSecret;
  readonly clock: Clock;
  readonly random: Random;
  readonly trustDomain: string;
  readonly lives: AuthorityLives;
}
/** An authority ready to sign. */
interface Signer {
  readonly certificate: X509Certificate;
  readonly issuer: CertificateIssuer;
}
/** Making root and intermediate takes two; a few more where replicas are faster than we. */
const mostSteps = 8;

/** Root and short-lived intermediate of the binding trust domain, kept in the database under the broker's secret. */
export function builtInCa(parts: BuiltInCaParts): IdentityIssuer {
  const { store, trustDomain } = parts;
  refuseOtherLives(parts.lives);
  const signers = new Map<string, Signer>();

  const signerOf = (authority: Authority): Signer => {
    const known = signers.get(authority.id) ?? open(parts.secret, authority);
    signers.set(authority.id, known);
    return known;
  };
  const current = async (): ReturnType<IdentityIssuer['current']> => {
    for (let step = 0; step < mostSteps; step += 1) {
      const { now, authorities } = await store.live(trustDomain);
      const next = nextAuthority(authorities, now, parts.lives);
      if (next.kind === 'nothing') {
        const { id, notBefore, notAfter } = next.issuing;
        return { id, certificate: signerOf(next.issuing).certificate, notBefore, notAfter, now };
      }
      refuseClockSkew(parts.clock.now(), now);
      await store.activate(make(parts, next, now, signerOf), next.predecessorId);
    }
    throw new BrokerError('unavailable', 'the issuing authority keeps changing: try again', { retryAfterSeconds: 1 });
  };
  return {
    name: 'built-in-ca',
    trustDomain,
    current,
    async trusted() {
      await current();
      const { authorities, sequence } = await store.live(trustDomain);
      return { roots: authorities.filter(({ kind }) => kind === 'root').map(({ certificate }) => certificate), sequence };
    },
    async sign(intent) {
      if (!signers.has(intent.authorityId)) await current();
      const signer = signers.get(intent.authorityId);
      if (signer === undefined) throw new BrokerError('internal', `authority ${intent.authorityId} is not the issuing one`);
      const { serial, notBefore, notAfter, spiffeId, publicKey } = intent;
      return leafCertificate({ serial, notBefore, notAfter, uri: spiffeId, publicKey }, signer.issuer);
    },
  };
}

function refuseOtherLives({ rootSeconds, intermediateSeconds }: AuthorityLives): void {
  if (intermediateSeconds >= 600 && rootSeconds >= 4 * intermediateSeconds) return;
  throw new BrokerError(
    'bad-request',
    `the intermediate must live at least 600 s and the root at least four times as long, not ${intermediateSeconds} s and ${rootSeconds} s`,
  );
}

const placeOf = (authorityId: string): WrapPlace => ({ table: 'authority', column: 'wrapped_key', rowId: authorityId });

function open(secret: BrokerSecret, authority: Authority): Signer {
  const certificate = new X509Certificate(authority.certificate);
  const privateKey = privateKeyObject(unwrap(secret, placeOf(authority.id), authority.wrappedKey));
  if (!certificate.checkPrivateKey(privateKey))
    throw new BrokerError('internal', `authority ${authority.id} has a key that is not its certificate's`);
  return { certificate, issuer: issuerOf(commonNameOf(authority.kind, certificate.serialNumber), spkiOf(certificate), privateKey) };
}
const spkiOf = (certificate: X509Certificate): Buffer => certificate.publicKey.export({ type: 'spki', format: 'der' });
const commonNameOf = (kind: Authority['kind'], serial: string): string =>
  `${kind === 'root' ? 'binding root' : 'binding issuer'} ${serial.slice(0, 16).toLowerCase()}`;
const issuerOf = (commonName: string, publicKey: Uint8Array, privateKey: KeyObject): CertificateIssuer => ({
  name: authorityName(commonName),
  keyIdentifier: keyIdentifier(publicKey),
  privateKey,
});

function make(
  parts: BuiltInCaParts,
  step: Exclude<AuthorityStep, { kind: 'nothing' }>,
  now: Date,
  signerOf: (root: LiveAuthority) => Signer,
): Authority {
  const { secret, random, trustDomain, lives } = parts;
  const id = random.uuid();
  const key = p256KeyFromSeed(random.bytes(p256SeedBytes));
  const notBefore = backdated(now);
  const notAfter = secondsAfter(notBefore, step.kind === 'root' ? lives.rootSeconds : lives.intermediateSeconds);
  const fields: CertificateFields = {
    serial: newSerial(random),
    notBefore,
    notAfter,
    uri: formatSpiffeId(trustDomain, []),
    publicKey: key.publicKey,
  };
  const self = issuerOf(commonNameOf(step.kind, fields.serial), key.publicKey, privateKeyObject(key.privateKey));
  const certificate =
    step.kind === 'root'
      ? rootCertificate(fields, self)
      : intermediateCertificate(fields, self.name, trustDomain, signerOf(step.root).issuer);
  const wrappedKey = wrap(secret, placeOf(id), key.privateKey, random);
  return {
    id,
    kind: step.kind,
    trustDomain,
    certificate,
    wrappedKey,
    issuerId: step.kind === 'root' ? null : step.root.id,
    notBefore,
    notAfter,
  };
}
