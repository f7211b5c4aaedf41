import 'reflect-metadata';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, describe, expect, test } from 'vitest';
import {
  authorityName,
  intermediateCertificate,
  keyIdentifier,
  leafCertificate,
  rootCertificate,
} from '../../src/identity/certificate-der.ts';
import { publicKeyOfRequest } from '../../src/identity/certificate-signing-request.ts';
import { p256KeyFromSeed, privateKeyObject } from '../../src/identity/p256-key.ts';
import { pem } from '../../src/identity/pem.ts';

const directory = mkdtempSync(join(tmpdir(), 'meshbroker-openssl-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const openssl = (...args: string[]): { status: number | null; text: string } => {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8', cwd: directory });
  return { status, text: stdout + stderr };
};

const hoursFromNow = (hours: number): Date => new Date(Math.floor(Date.now() / 1000) * 1000 + hours * 3_600_000);
const domain = 'bindings.example.com';
const [rootKey, issuerKey, leafKey] = [1, 2, 3].map((byte) => p256KeyFromSeed(Buffer.alloc(48, byte))) as [
  ReturnType<typeof p256KeyFromSeed>,
  ReturnType<typeof p256KeyFromSeed>,
  ReturnType<typeof p256KeyFromSeed>,
];
const signer = (name: string, key: typeof rootKey) => ({
  name: authorityName(name),
  keyIdentifier: keyIdentifier(key.publicKey),
  privateKey: privateKeyObject(key.privateKey),
});
const [root, issuer] = [signer('root', rootKey), signer('issuer', issuerKey)];
const fields = (serial: string, uri: string, publicKey: Buffer, hours: number) => ({
  serial: serial.repeat(16),
  uri,
  publicKey,
  notBefore: hoursFromNow(-1),
  notAfter: hoursFromNow(hours),
});
const rootDer = rootCertificate(fields('41', `spiffe://${domain}`, rootKey.publicKey, 1000), root);
const issuerDer = intermediateCertificate(fields('42', `spiffe://${domain}`, issuerKey.publicKey, 100), issuer.name, domain, root);
const leafOf = (uri: string, hours = 10): Buffer => leafCertificate(fields('43', uri, leafKey.publicKey, hours), issuer);
const leafDer = leafOf(`spiffe://${domain}/ns/cf-acme/sa/mb-abc`);

const rootFile = file('root.pem', pem('CERTIFICATE', rootDer));
const issuerFile = file('issuer.pem', pem('CERTIFICATE', issuerDer));
const verify = (leaf: Buffer, ...more: string[]) =>
  openssl('verify', '-x509_strict', '-CAfile', rootFile, '-untrusted', issuerFile, ...more, file('leaf.pem', pem('CERTIFICATE', leaf)));

describe('OpenSSL', () => {
  test.each(['sslclient', 'sslserver'])('verifies the chain strictly for the purpose %s', (purpose) => {
    expect(verify(leafDer, '-purpose', purpose)).toMatchObject({ status: 0, text: expect.stringContaining(': OK') as string });
  });
  test.each([
    'spiffe://other.example.com/ns/a/sa/b',
    'spiffe://sub.bindings.example.com/ns/a/sa/b',
    'spiffe://bindings.example.com.evil/ns/a/sa/b',
  ])('refuses a leaf outside the trust domain of the issuer: %s', (uri) => {
    const { status, text } = verify(leafOf(uri));
    expect(status).not.toBe(0);
    expect(text).toContain('error 47');
  });
  test('refuses an authority below the issuer (path length 0), and an expired leaf', () => {
    const below = intermediateCertificate(
      fields('44', `spiffe://${domain}`, leafKey.publicKey, 10),
      authorityName('below'),
      domain,
      issuer,
    );
    const path = openssl('verify', '-CAfile', rootFile, '-untrusted', issuerFile, '-untrusted', file('below.pem', pem('CERTIFICATE', below)),
      file('leaf2.pem', pem('CERTIFICATE', leafCertificate(fields('45', `spiffe://${domain}/a`, leafKey.publicKey, 5), { ...issuer, name: authorityName('below'), keyIdentifier: keyIdentifier(leafKey.publicKey), privateKey: privateKeyObject(leafKey.privateKey) })))); // prettier-ignore
    expect(path.text).toContain('error 25');
    expect(verify(leafOf(`spiffe://${domain}/a`, -0.5)).text).toContain('error 10');
  });
  test('finds the derived private key consistent, and it belongs to the leaf', () => {
    const key = file('key.pem', pem('PRIVATE KEY', leafKey.privateKey));
    expect(openssl('pkey', '-in', key, '-check', '-noout')).toMatchObject({
      status: 0,
      text: expect.stringContaining('Key is valid') as string,
    });
    expect(new X509Certificate(leafDer).checkPrivateKey(privateKeyObject(leafKey.privateKey))).toBe(true);
  });
  test('shows of the leaf exactly what the X.509-SVID standard asks for', () => {
    const { text } = openssl('x509', '-in', file('leaf.pem', pem('CERTIFICATE', leafDer)), '-noout', '-text');
    const extensions = text.slice(
      text.indexOf('X509v3 extensions:'),
      text.indexOf('Signature Algorithm', text.indexOf('X509v3 extensions:')),
    );
    expect(extensions.match(/X509v3 [^\n]+/g)?.map((line) => line.trim())).toEqual([
      'X509v3 extensions:',
      'X509v3 Key Usage: critical',
      'X509v3 Extended Key Usage:',
      'X509v3 Basic Constraints: critical',
      'X509v3 Subject Key Identifier:',
      'X509v3 Authority Key Identifier:',
      'X509v3 Subject Alternative Name: critical',
    ]);
    expect(extensions).toMatch(/Digital Signature\n/);
    expect(extensions).toMatch(/CA:FALSE\n/);
    expect(extensions.match(/URI:/g)).toHaveLength(1);
    expect(text).toMatch(/Subject: ?\n/);
  });
});

describe('@peculiar/x509', () => {
  test('reads the same certificate', async () => {
    const leaf = new x509.X509Certificate(leafDer);
    expect(leaf.serialNumber).toBe('43'.repeat(16));
    expect(leaf.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
      { type: 'url', value: `spiffe://${domain}/ns/cf-acme/sa/mb-abc` },
    ]);
    expect(leaf.getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.digitalSignature);
    expect(leaf.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
    expect(await leaf.verify({ publicKey: new x509.X509Certificate(issuerDer).publicKey, signatureOnly: true })).toBe(true);
    expect(new x509.X509Certificate(issuerDer).getExtension(x509.BasicConstraintsExtension)).toMatchObject({
      ca: true,
      pathLength: 0,
      critical: true,
    });
    expect(new x509.X509Certificate(issuerDer).getExtension('2.5.29.30')?.critical).toBe(true);
  });
});

const request = (...args: string[]): string =>
  execFileSync('openssl', ['req', '-new', '-nodes', '-keyout', 'csr-key.pem', '-subj', '/CN=spiffe:--evil', ...args], {
    encoding: 'utf8',
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
const compressedKey = (): string => {
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'plain.pem');
  openssl('ec', '-in', 'plain.pem', '-conv_form', 'compressed', '-out', 'compressed.pem');
  return 'compressed.pem';
};
const ec = (curve: string, ...more: string[]): string => request('-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`, ...more);

describe('a certificate signing request', () => {
  test.each([
    ['P-256', () => ec('P-256')],
    ['P-384 signed with SHA-384', () => ec('P-384', '-sha384')],
    ['P-256 signed with SHA-512', () => ec('P-256', '-sha512')],
    ['RSA 2048', () => request('-newkey', 'rsa:2048')],
    ['RSA 3072 signed with SHA-512', () => request('-newkey', 'rsa:3072', '-sha512')],
    [
      'other names and an authority wish, which are ignored',
      () => ec('P-256', '-addext', 'subjectAltName=URI:spiffe://mesh.example.com/ns/a/sa/b', '-addext', 'basicConstraints=CA:TRUE'),
    ],
    [
      'explicit curve parameters and a compressed point, which are made canonical',
      () => ec('P-256', '-pkeyopt', 'ec_param_enc:named_curve'),
    ],
    ['carriage returns and blank lines around', () => `\r\n${ec('P-256').replaceAll('\n', '\r\n')}\r\n`],
    ['the older label', () => ec('P-256').replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')],
  ])('is taken with %s', (_, make) => {
    const csr = make();
    const expected = openssl('req', '-in', file('taken.csr', csr), '-noout', '-pubkey').text;
    expect(publicKeyOfRequest(csr)).toEqual(Buffer.from(new x509.Pkcs10CertificateRequest(csr.trim()).publicKey.rawData));
    expect(publicKeyOfRequest(csr)).toEqual(createPublicKey(expected).export({ type: 'spki', format: 'der' }));
  });
  test.each([
    ['RSA 1024', () => request('-newkey', 'rsa:1024'), /key that is not accepted \(rsa 1024 bits\)/],
    ['RSA-PSS', () => request('-newkey', 'rsa-pss:2048'), /not accepted|cannot be read/],
    ['P-521', () => ec('P-521'), /not accepted \(ec secp521r1\)/],
    ['secp256k1', () => ec('secp256k1'), /not accepted \(ec secp256k1\)/],
    ['Ed25519', () => request('-newkey', 'ed25519'), /not accepted \(ed25519\)/],
    ['explicit curve parameters', () => ec('P-256', '-pkeyopt', 'ec_param_enc:explicit'), /explicit parameters or a compressed point/],
    ['a compressed point', () => request('-key', compressedKey()), /explicit parameters or a compressed point/],
    ['SHA-1', () => ec('P-256', '-sha1'), /signed in a way that is not accepted/],
    ['SHA-1 over RSA', () => request('-newkey', 'rsa:2048', '-sha1'), /signed in a way that is not accepted/],
    ['nothing', () => '', /must be one PEM block/],
    ['a certificate', () => pem('CERTIFICATE', leafDer), /must be one PEM block/],
    ['two requests', () => ec('P-256') + ec('P-256'), /must be one PEM block/],
    ['a private key behind it', () => ec('P-256') + pem('PRIVATE KEY', leafKey.privateKey), /must be one PEM block/],
    ['no base64', () => '-----BEGIN CERTIFICATE REQUEST-----\nnot base64 ü\n-----END CERTIFICATE REQUEST-----\n', /must be one PEM block/],
    [
      'other DER',
      () => pem('CERTIFICATE', leafDer).replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
      /not a PKCS#10 certificate signing request/,
    ],
    [
      'more than 16 KiB',
      () => `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(16_384)}\n-----END CERTIFICATE REQUEST-----\n`,
      /longer than 16384 bytes/,
    ],
    [
      'deep nesting',
      () =>
        pem('CERTIFICATE', Buffer.concat(Array.from({ length: 2900 }, () => Buffer.of(0x30, 0x80)))).replaceAll(
          'CERTIFICATE',
          'CERTIFICATE REQUEST',
        ),
      /not a PKCS#10/,
    ],
  ])('is refused with %s, naming the field and the fix', (_, make, reason) => {
    const csr = make();
    expect(() => publicKeyOfRequest(csr)).toThrow(reason);
    expect(() => publicKeyOfRequest(csr)).toThrow(/^parameters\.csr .*(use|openssl|send)/);
  });
  test('is refused whichever of its bytes is changed', () => {
    const der = Buffer.from(ec('P-256').replace(/-----[^-]+-----|\s/g, ''), 'base64');
    for (let at = 0; at < der.length; at += 1) {
      const bent = Buffer.from(der);
      bent.writeUInt8(bent.readUInt8(at) ^ (1 << (at % 8)), at);
      expect(() => publicKeyOfRequest(pem('CERTIFICATE', bent).replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST')), `byte ${at}`).toThrow(
        /^parameters\.csr /,
      );
    }
  });
  test('made by @peculiar/x509 is taken', async () => {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const made = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=x',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    });
    const digest = createHash('sha256')
      .update(publicKeyOfRequest(made.toString('pem')))
      .digest('hex');
    expect(digest).toBe(
      createHash('sha256')
        .update(Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey)))
        .digest('hex'),
    );
  });
});
