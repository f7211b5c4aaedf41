import { createPublicKey, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorityName, intermediateCertificate, keyIdentifier, leafCertificate, rootCertificate } from './certificate-der.ts';
import { derInteger, derOid, derTime, derValue } from './der.ts';
import { lintLeaf } from './lint-certificate.ts';
import { keyOfSerial, p256KeyFromSeed, privateKeyObject } from './p256-key.ts';
import { pem } from './pem.ts';
import { brokerSecret } from './secret.ts';

const at = (iso: string): Date => new Date(iso);
const rootKey = p256KeyFromSeed(Buffer.alloc(48, 1));
const issuerKey = p256KeyFromSeed(Buffer.alloc(48, 2));
const leafKey = keyOfSerial(brokerSecret(Buffer.alloc(32, 3)), '40'.repeat(16));
const root = {
  name: authorityName('root'),
  keyIdentifier: keyIdentifier(rootKey.publicKey),
  privateKey: privateKeyObject(rootKey.privateKey),
};
const issuer = {
  name: authorityName('issuer'),
  keyIdentifier: keyIdentifier(issuerKey.publicKey),
  privateKey: privateKeyObject(issuerKey.privateKey),
};
const life = { notBefore: at('2026-11-24T10:00:00Z'), notAfter: at('2036-11-24T10:00:00Z') };
const uri = 'spiffe://bindings.example.com';
const rootDer = rootCertificate({ ...life, serial: '41'.repeat(16), uri, publicKey: rootKey.publicKey }, root);
const issuerDer = intermediateCertificate(
  { ...life, serial: '42'.repeat(16), uri, publicKey: issuerKey.publicKey, notAfter: at('2027-02-24T10:00:00Z') },
  issuer.name,
  'bindings.example.com',
  root,
);
const intent = {
  serial: '43'.repeat(16),
  spiffeId: 'spiffe://bindings.example.com/ns/cf-acme/sa/mb-abc',
  publicKey: leafKey.publicKey,
  notBefore: at('2026-11-24T10:00:00Z'),
  notAfter: at('2026-12-24T10:00:00Z'),
  authorityId: 'a',
};
const fields = { ...intent, uri: intent.spiffeId };
const leafDer = leafCertificate(fields, issuer);
const issuerCertificate = new X509Certificate(issuerDer);

describe('DER', () => {
  test.each([
    ['00', '020100'],
    ['7f', '02017f'],
    ['80', '02020080'],
    ['0000ff', '020200ff'],
    ['0100', '02020100'],
  ])('writes the integer %s in its shortest form', (bytes, der) => {
    // prettier-ignore
    expect(derInteger(Buffer.from(bytes, 'hex')).toString('hex')).toBe(der);
  });
  test('writes object identifiers with large arcs', () => {
    expect(derOid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
    expect(derOid('2.5.29.17').toString('hex')).toBe('0603551d11');
  });
  test('writes years from 2050 on as GeneralizedTime', () => {
    expect(derTime(at('2049-12-31T23:59:59Z')).toString('latin1')).toBe('\x17\r491231235959Z');
    expect(derTime(at('2050-01-01T00:00:00Z')).toString('latin1')).toBe('\x18\x0f20500101000000Z');
  });
  test('writes lengths of one, two and three bytes, and refuses more', () => {
    expect(derValue(4, Buffer.alloc(0x7f)).subarray(0, 2)).toEqual(Buffer.of(4, 0x7f));
    expect(derValue(4, Buffer.alloc(0x80)).subarray(0, 3)).toEqual(Buffer.of(4, 0x81, 0x80));
    expect(derValue(4, Buffer.alloc(0x100)).subarray(0, 4)).toEqual(Buffer.of(4, 0x82, 1, 0));
    expect(() => derValue(4, Buffer.alloc(0x10000))).toThrow(RangeError);
  });
});

describe('a P-256 key', () => {
  test('made from any seed is a valid pair', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 48, maxLength: 48 }), (seed) => {
        const key = p256KeyFromSeed(seed);
        const again = createPublicKey(privateKeyObject(key.privateKey)).export({ type: 'spki', format: 'der' });
        return again.equals(key.publicKey) && key.publicKey.length === 91 && key.privateKey.length === 138;
      }),
      { numRuns: 200 },
    );
  });
  test.each(['00', 'ff'])('made from the extreme seed of bytes %s is a valid pair', (byte) => {
    const key = p256KeyFromSeed(Buffer.from(byte.repeat(48), 'hex'));
    expect(createPublicKey(privateKeyObject(key.privateKey)).export({ type: 'spki', format: 'der' })).toEqual(key.publicKey);
  });
  test('of a serial is the same each time, and another for each serial and secret', () => {
    const keyOf = (byte: number, serial: string): string =>
      keyOfSerial(brokerSecret(Buffer.alloc(32, byte)), serial).publicKey.toString('hex');
    expect(keyOf(1, 'a')).toBe(keyOf(1, 'a'));
    expect(new Set([keyOf(1, 'a'), keyOf(1, 'b'), keyOf(2, 'a')]).size).toBe(3);
  });
  test('keeps its derivation from release to release: bound consumers hold these keys', () => {
    expect(keyOfSerial(brokerSecret(Buffer.alloc(32, 7)), '43'.repeat(16)).privateKey.toString('hex')).toMatchInlineSnapshot(
      `"308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104200dda87e3637fb3bbbb17995e7d60aba511e4c867cda49a155de640239cdf48b2a14403420004a6258f72fa5de3c1c117cc22d2f646aa097238de324ca554b8d045db441273a4ea7d9c9b43f0dfdfbbce5bdd4856c09387e494d34cea943991d91ce731d851ce"`,
    );
  });
});

describe('the certificates', () => {
  test('chain from leaf over issuer to root', () => {
    const leaf = new X509Certificate(leafDer);
    const rootCert = new X509Certificate(rootDer);
    expect(leaf.checkIssued(issuerCertificate) && leaf.verify(issuerCertificate.publicKey)).toBe(true);
    expect(issuerCertificate.checkIssued(rootCert) && issuerCertificate.verify(rootCert.publicKey)).toBe(true);
    expect(rootCert.checkIssued(rootCert) && rootCert.verify(rootCert.publicKey)).toBe(true);
    expect([leaf.ca, issuerCertificate.ca, rootCert.ca]).toEqual([false, true, true]);
    expect(leaf.checkPrivateKey(privateKeyObject(leafKey.privateKey))).toBe(true);
  });
  test('of authorities name their trust domain without a path', () => {
    expect([issuerCertificate.subjectAltName, new X509Certificate(rootDer).subjectAltName]).toEqual([`URI:${uri}`, `URI:${uri}`]);
  });
  test('pass as PEM', () => {
    expect(new X509Certificate(pem('CERTIFICATE', leafDer)).raw).toEqual(leafDer);
    expect(pem('CERTIFICATE', Buffer.alloc(48)).split('\n')).toHaveLength(4);
  });
});

describe('the lint of a leaf', () => {
  test('accepts what was intended', () => {
    expect(() => lintLeaf(leafDer, intent, issuerCertificate)).not.toThrow();
  });
  test.each([
    ['serial', { serial: '44'.repeat(16) }],
    ['subject alternative name', { spiffeId: 'spiffe://bindings.example.com/ns/cf-acme/sa/mb-abd' }],
    ['not before', { notBefore: at('2026-11-24T10:00:01Z') }],
    ['not after', { notAfter: at('2026-12-24T10:00:01Z') }],
    ['public key', { publicKey: issuerKey.publicKey }],
  ])('refuses another %s', (name, other) => {
    expect(() => lintLeaf(leafDer, { ...intent, ...other }, issuerCertificate)).toThrow(`not what was intended (${name})`);
  });
  test('refuses a leaf that outlives its issuer', () => {
    const late = at('2027-02-24T10:00:01Z');
    expect(() =>
      lintLeaf(leafCertificate({ ...fields, notAfter: late }, issuer), { ...intent, notAfter: late }, issuerCertificate),
    ).toThrow('(not after)');
  });
  test('refuses another issuer and a broken signature', () => {
    expect(() => lintLeaf(leafCertificate(fields, root), intent, issuerCertificate)).toThrow('(issuer, signature)');
    const bent = Buffer.from(leafDer);
    bent.writeUInt8(bent.readUInt8(bent.length - 1) ^ 1, bent.length - 1);
    expect(() => lintLeaf(bent, intent, issuerCertificate)).toThrow('(signature)');
  });
  test('refuses an authority in place of a leaf', () => {
    const authority = intermediateCertificate(fields, issuer.name, 'bindings.example.com', issuer);
    expect(() => lintLeaf(authority, intent, issuerCertificate)).toThrow(
      /subject alternative name, subject, basic constraints, key usage, extended key usage/,
    );
  });
});
