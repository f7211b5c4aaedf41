import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { authorityName, intermediateCertificate, keyIdentifier, leafCertificate } from '../src/identity/certificate-der.ts';
import type { CertificateIssuer } from '../src/identity/certificate-der.ts';
import { publicKeyOfRequest } from '../src/identity/certificate-signing-request.ts';
import { lintLeaf } from '../src/identity/lint-certificate.ts';
import { p256KeyFromSeed, privateKeyObject } from '../src/identity/p256-key.ts';
import { newSerial } from '../src/identity/serial.ts';
import { backdated, secondsAfter } from '../src/identity/validity.ts';
import { systemRandom } from '../src/kernel/random.ts';
import { figureOf } from './figure.ts';
import type { Figure, Round } from './figure.ts';

const rounds = 5;
const domain = 'bindings.example.com';

/** Certificates per second that OpenSSL could make on one core: one P-256 verification (of the CSR) and one signature each. */
function opensslPerSecond(): number {
  const text = execFileSync('openssl', ['speed', '-seconds', '1', 'ecdsap256'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [, signed, verified] = /nistp256\)\s+\S+\s+\S+\s+([0-9.]+)\s+([0-9.]+)/.exec(text) ?? [];
  if (signed === undefined || verified === undefined) throw new Error(`openssl speed printed something else:\n${text}`);
  return 1 / (1 / Number(signed) + 1 / Number(verified));
}
function newRequest(): string {
  const args = [
    'req',
    '-new',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-subj',
    '/CN=bench',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
  ];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** From PEM request to linted leaf as on the bind path, without the database. */
function signOne(csrPem: string, now: Date, issuer: CertificateIssuer, authority: X509Certificate): Buffer {
  const spiffeId = `spiffe://${domain}/ns/cf-acme/sa/mb-bench`;
  const serial = newSerial(systemRandom);
  const intent = {
    serial,
    spiffeId,
    publicKey: publicKeyOfRequest(csrPem),
    notBefore: backdated(now),
    notAfter: secondsAfter(now, 3600),
    authorityId: 'bench',
  };
  const leaf = leafCertificate({ ...intent, uri: spiffeId }, issuer);
  lintLeaf(leaf, intent, authority);
  return leaf;
}

/** `certificates`: from CSR to linted certificate per second on one core, of openssl's verify + sign in the same run. */
export async function benchCertificates(): Promise<Figure[]> {
  const now = new Date();
  const key = p256KeyFromSeed(systemRandom.bytes(48));
  const issuer = {
    name: authorityName('bench'),
    keyIdentifier: keyIdentifier(key.publicKey),
    privateKey: privateKeyObject(key.privateKey),
  };
  const life = { notBefore: backdated(now), notAfter: secondsAfter(now, 86_400) };
  const fields = { ...life, serial: newSerial(systemRandom), uri: `spiffe://${domain}`, publicKey: key.publicKey };
  const authority = new X509Certificate(intermediateCertificate(fields, issuer.name, domain, issuer));
  const requests = Array.from({ length: 16 }, newRequest);
  /** Per second of processor time, as `openssl speed` counts too: a core that others use as well changes neither. */
  const run = (milliseconds: number): number => {
    const begin = process.cpuUsage();
    const spentMs = (): number => {
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1000;
    };
    let made = 0;
    while (spentMs() < milliseconds)
      for (let batch = 0; batch < 16; batch += 1, made += 1) signOne(requests[batch] ?? '', now, issuer, authority);
    return (made * 1000) / spentMs();
  };
  run(500);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    measured.push({ ceiling: opensslPerSecond(), value: run(1000) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return [figureOf('certificates', 'certificates/s', measured)];
}
