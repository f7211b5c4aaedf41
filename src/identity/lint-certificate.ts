import { X509Certificate } from 'node:crypto';
import { BrokerError } from '../kernel/errors.ts';
import { readDer } from './der.ts';
import type { CertificateIntent } from './identity-port.ts';

/** Whole extensions in DER. Key usage: critical, digitalSignature and nothing else. Basic constraints: critical, no authority. */
const digitalSignatureOnly = Buffer.from('0603551d0f0101ff040403020780', 'hex');
const notAnAuthority = Buffer.from('0603551d130101ff04023000', 'hex');
const serverAndClientOnly = Buffer.from('0603551d250416301406082b0601050507030106082b06010505070302', 'hex');
const criticalSubjectAltName = Buffer.from('0603551d110101ff', 'hex');

/** SubjectPublicKeyInfo, the seventh field of a version 3 certificate (RFC 5280 4.1); exporting it from X509Certificate costs 60 us more (2026-11). */
function publicKeyIn(raw: Buffer): Buffer | undefined {
  const [certificate] = readDer(raw);
  const [body] = certificate === undefined ? [] : readDer(certificate.content);
  return body === undefined ? undefined : readDer(body.content)[6]?.whole;
}

/**
 * Compares a signed leaf with what was intended, field by field, through OpenSSL's eyes, before anybody may use it: a wrong certificate is an
 * impersonation. `issuer` is the DER of the authority. BrokerError `internal` names the fields that differ.
 */
export function lintLeaf(leaf: Uint8Array, intent: CertificateIntent, issuer: X509Certificate): void {
  const certificate = new X509Certificate(leaf);
  const raw = certificate.raw;
  const checks: Readonly<Record<string, boolean>> = {
    serial: certificate.serialNumber.toLowerCase() === intent.serial,
    'subject alternative name': certificate.subjectAltName === `URI:${intent.spiffeId}` && raw.includes(criticalSubjectAltName),
    subject: !certificate.subject,
    'not before': certificate.validFromDate.getTime() === intent.notBefore.getTime(),
    'not after': certificate.validToDate.getTime() === intent.notAfter.getTime() && certificate.validToDate <= issuer.validToDate,
    'public key': publicKeyIn(raw)?.equals(intent.publicKey) === true,
    'basic constraints': !certificate.ca && raw.includes(notAnAuthority),
    'key usage': raw.includes(digitalSignatureOnly),
    'extended key usage': raw.includes(serverAndClientOnly),
    issuer: certificate.checkIssued(issuer),
    signature: certificate.verify(issuer.publicKey),
  };
  const wrong = Object.keys(checks).filter((name) => checks[name] !== true);
  if (wrong.length === 0) return;
  throw new BrokerError(
    'internal',
    `the certificate ${intent.serial} is not what was intended (${wrong.join(', ')}): it is not used and its serial is denied`,
  );
}
