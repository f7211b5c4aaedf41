import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { derBits, derExplicit, derInteger, derOctets, derOid, derSequence, derSet, derTime, derTrue, derUtf8, derValue } from './der.ts';

/** What a certificate of ours consists of; everything else is fixed by its kind (X.509-SVID standard, sections 2–5). */
export interface CertificateFields {
  /** 16 bytes, hexadecimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The one URI SAN. */
  readonly uri: string;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}
/** DER pieces of whoever signs, taken from its own certificate or, for a root, made for itself. */
export interface CertificateIssuer {
  /** DER Name. */
  readonly name: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  readonly privateKey: KeyObject;
}
const oid = {
  subjectAltName: derOid('2.5.29.17'),
  basicConstraints: derOid('2.5.29.19'),
  keyUsage: derOid('2.5.29.15'),
  extendedKeyUsage: derOid('2.5.29.37'),
  subjectKeyIdentifier: derOid('2.5.29.14'),
  authorityKeyIdentifier: derOid('2.5.29.35'),
  nameConstraints: derOid('2.5.29.30'),
};
const version3 = derExplicit(0, derInteger(Buffer.of(2)));
const ecdsaWithSha256 = derSequence(derOid('1.2.840.10045.4.3.2'));
const emptyName = derSequence();
const extension = (id: Uint8Array, value: Uint8Array): Buffer => derSequence(id, derOctets(value));
const critical = (id: Uint8Array, value: Uint8Array): Buffer => derSequence(id, derTrue, derOctets(value));

const digitalSignatureOnly = critical(oid.keyUsage, derBits(Buffer.of(0x80), 7));
const signsCertificates = critical(oid.keyUsage, derBits(Buffer.of(0x06), 1));
const serverAndClient = extension(oid.extendedKeyUsage, derSequence(derOid('1.3.6.1.5.5.7.3.1'), derOid('1.3.6.1.5.5.7.3.2')));
const notAnAuthority = critical(oid.basicConstraints, derSequence());
const anAuthority = critical(oid.basicConstraints, derSequence(derTrue));
const anIssuingAuthority = critical(oid.basicConstraints, derSequence(derTrue, derInteger(Buffer.of(0))));

const uriName = (uri: string): Buffer => derValue(0x86, Buffer.from(uri, 'latin1'));
const keyIdentifiers = (own: Uint8Array, issuers: Uint8Array): Buffer =>
  Buffer.concat([
    extension(oid.subjectKeyIdentifier, derOctets(own)),
    extension(oid.authorityKeyIdentifier, derSequence(derValue(0x80, issuers))),
  ]);

/** Leftmost 160 bits of SHA-256 over the SubjectPublicKeyInfo: unique is all that RFC 5280 asks; no SHA-1. */
export const keyIdentifier = (publicKey: Uint8Array): Buffer => createHash('sha256').update(publicKey).digest().subarray(0, 20);
/** DER Name of an authority: organisation and common name. */
export function authorityName(commonName: string): Buffer {
  const part = (id: string, value: string): Buffer => derSet(derSequence(derOid(id), derUtf8(value)));
  return derSequence(part('2.5.4.10', 'Meshbroker'), part('2.5.4.3', commonName));
}

function signed(fields: CertificateFields, subject: Uint8Array, issuer: CertificateIssuer, extensions: readonly Uint8Array[]): Buffer {
  const body = derSequence(
    version3,
    derInteger(Buffer.from(fields.serial, 'hex')),
    ecdsaWithSha256,
    issuer.name,
    derSequence(derTime(fields.notBefore), derTime(fields.notAfter)),
    subject,
    fields.publicKey,
    derExplicit(3, derSequence(...extensions)),
  );
  return derSequence(body, ecdsaWithSha256, derBits(sign('sha256', body, issuer.privateKey)));
}

/** X.509-SVID of a workload: empty subject, hence a critical SAN. */
export function leafCertificate(fields: CertificateFields, issuer: CertificateIssuer): Buffer {
  return signed(fields, emptyName, issuer, [
    digitalSignatureOnly,
    serverAndClient,
    notAnAuthority,
    keyIdentifiers(keyIdentifier(fields.publicKey), issuer.keyIdentifier),
    critical(oid.subjectAltName, derSequence(uriName(fields.uri))),
  ]);
}
/** Signs leaves of one trust domain and nothing else: path length 0 and a critical URI name constraint (the host part only, RFC 5280 4.2.1.10). */
export function intermediateCertificate(
  fields: CertificateFields,
  name: Uint8Array,
  trustDomain: string,
  issuer: CertificateIssuer,
): Buffer {
  return signed(fields, name, issuer, [
    signsCertificates,
    anIssuingAuthority,
    keyIdentifiers(keyIdentifier(fields.publicKey), issuer.keyIdentifier),
    extension(oid.subjectAltName, derSequence(uriName(fields.uri))),
    critical(oid.nameConstraints, derSequence(derExplicit(0, derSequence(uriName(trustDomain))))),
  ]);
}
export function rootCertificate(fields: CertificateFields, issuer: CertificateIssuer): Buffer {
  return signed(fields, issuer.name, issuer, [
    signsCertificates,
    anAuthority,
    keyIdentifiers(issuer.keyIdentifier, issuer.keyIdentifier),
    extension(oid.subjectAltName, derSequence(uriName(fields.uri))),
  ]);
}
