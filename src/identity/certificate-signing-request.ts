import 'reflect-metadata';
import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { BrokerError } from '../kernel/errors.ts';
import { spkiHead } from './p256-key.ts';

const field = 'parameters.csr';
/** A CSR with an 8,192-bit RSA key is below 4 KiB. */
const longestPemBytes = 16_384;
const onePemBlock = /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END \1?CERTIFICATE REQUEST-----\s*$/;
const makeOne = "make one with: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj '/CN=any'";

const refuse = (what: string, cause?: unknown): BrokerError => new BrokerError('bad-request', `${field} ${what}`, { field }, cause);

interface SigningRequest {
  readonly body: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  /** DER AlgorithmIdentifier of the signature, hexadecimal. */
  readonly algorithm: string;
}
/** The signature algorithms that are taken, by their whole DER AlgorithmIdentifier (RFC 5758, RFC 4055). */
const ecdsaHashes: Readonly<Record<string, string>> = {
  '300a06082a8648ce3d040302': 'sha256',
  '300a06082a8648ce3d040303': 'sha384',
  '300a06082a8648ce3d040304': 'sha512',
};
const rsaHashes: Readonly<Record<string, string>> = {
  '300d06092a864886f70d01010b0500': 'sha256',
  '300d06092a864886f70d01010c0500': 'sha384',
  '300d06092a864886f70d01010d0500': 'sha512',
};
/**
 * The public key (DER SubjectPublicKeyInfo) of a PEM certificate signing request whose signature proves that the sender holds the private key.
 * Its subject, names and extensions are ignored: who the bearer is, the broker decides. BrokerError `bad-request` names parameters.csr and the fix.
 */
export function publicKeyOfRequest(csrPem: string): Buffer {
  const request = parse(csrPem);
  const key = readKey(request.publicKey);
  refuseOtherKeys(key);
  if (key.asymmetricKeyType === 'ec' && !isPlainPoint(request.publicKey)) {
    throw refuse(
      `holds an elliptic-curve key with explicit parameters or a compressed point: use the named curve and the uncompressed point; ${makeOne}`,
    );
  }
  refuseForgeries(request, key);
  return key.asymmetricKeyType === 'ec' ? Buffer.from(request.publicKey) : key.export({ type: 'spki', format: 'der' });
}

function parse(csrPem: string): SigningRequest {
  if (csrPem.length > longestPemBytes)
    throw refuse(`is longer than ${longestPemBytes} bytes: send one request with a P-256, P-384 or RSA key`);
  const base64 = onePemBlock.exec(csrPem)?.[2];
  if (base64 === undefined) throw refuse(`must be one PEM block "-----BEGIN CERTIFICATE REQUEST-----" and nothing else: ${makeOne}`);
  try {
    const der = Buffer.from(base64, 'base64');
    const parsed = new Pkcs10CertificateRequest(der);
    return {
      ...signedPart(der),
      publicKey: new Uint8Array(parsed.publicKey.rawData),
      signature: new Uint8Array(parsed.signature),
    };
  } catch (cause) {
    throw refuse(`is not a PKCS#10 certificate signing request: ${makeOne}`, cause);
  }
}

/** What was signed, byte for byte as sent, and how: the first two elements of the outer sequence, which must be all there is. */
function signedPart(der: Buffer): { body: Buffer; algorithm: string } {
  const outer = element(der, 0);
  const body = element(der, outer.content);
  const algorithm = element(der, body.end);
  if (outer.end !== der.length || algorithm.end > outer.end) throw new Error('lengths do not fit');
  return { body: der.subarray(outer.content, body.end), algorithm: der.toString('hex', body.end, algorithm.end) };
}
function element(der: Buffer, at: number): { content: number; end: number } {
  if (der.readUInt8(at) !== 0x30) throw new Error('a sequence was expected');
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return { content: at + 2, end: at + 2 + first };
  const bytes = first & 0x7f;
  if (bytes < 1 || bytes > 2) throw new Error('a definite length of at most two bytes was expected');
  const content = at + 2 + bytes;
  return { content, end: content + der.readUIntBE(at + 2, bytes) };
}

function readKey(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw refuse(`holds a public key that cannot be read: use P-256, P-384 or RSA of 2,048 to 8,192 bits; ${makeOne}`, cause);
  }
}
/** Named curve and uncompressed point, the only form that every TLS library takes (RFC 5480 2.2 forbids explicit parameters). */
const p384Head = Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex');
const isPlainPoint = (spki: Uint8Array): boolean =>
  [Buffer.concat([spkiHead, Buffer.of(4)]), p384Head].some((head) => head.equals(Buffer.from(spki).subarray(0, head.length)));

/** P-256, P-384, RSA ≥ 2048: what Envoy's TLS verifies (no Ed25519, no P-521, no RSA-PSS keys). */
function refuseOtherKeys(key: KeyObject): void {
  const { namedCurve = '', modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && ['prime256v1', 'secp384r1'].includes(namedCurve)) return;
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 65537n) return;
  const found = [key.asymmetricKeyType, namedCurve, modulusLength > 0 ? `${modulusLength} bits` : '']
    .filter((part) => part !== '')
    .join(' ');
  throw refuse(
    `holds a key that is not accepted (${found}): use P-256, P-384 or RSA of 2,048 to 8,192 bits with exponent 65537; ${makeOne}`,
  );
}
function refuseForgeries({ body, signature, algorithm }: SigningRequest, key: KeyObject): void {
  const hash = (key.asymmetricKeyType === 'ec' ? ecdsaHashes : rsaHashes)[algorithm];
  if (hash === undefined)
    throw refuse('is signed in a way that is not accepted: sign it with SHA-256, SHA-384 or SHA-512 (openssl req -new -sha256 …)');
  if (!verify(hash, body, key, signature)) {
    throw refuse(`has a signature that its own key does not verify: sign the request with the private key that belongs to it; ${makeOne}`);
  }
}
