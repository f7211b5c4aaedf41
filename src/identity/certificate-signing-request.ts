import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { BrokerError } from '../kernel/errors.ts';
import type { DerElement } from './der.ts';
import { readDer } from './der.ts';
import { spkiHead } from './p256-key.ts';

const field = 'parameters.csr';
/** A CSR with an 8,192-bit RSA key is below 4 KiB. */
const longestPemBytes = 16_384;
const onePemBlock = /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END \1?CERTIFICATE REQUEST-----\s*$/;
const makeOne = "make one with: openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -subj '/CN=any'";

const refuse = (what: string, cause?: unknown): BrokerError => new BrokerError('bad-request', `${field} ${what}`, { field }, cause);

interface SigningRequest {
  /** What was signed, byte for byte. */
  readonly body: Buffer;
  /** DER SubjectPublicKeyInfo, as sent. */
  readonly publicKey: Buffer;
  readonly signature: Buffer;
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
  refuseOtherKeys(key, request.publicKey);
  refuseForgeries(request, key);
  return key.asymmetricKeyType === 'ec' ? Buffer.from(request.publicKey) : key.export({ type: 'spki', format: 'der' });
}

function parse(csrPem: string): SigningRequest {
  if (csrPem.length > longestPemBytes)
    throw refuse(`is longer than ${longestPemBytes} bytes: send one request with a P-256, P-384 or RSA key`);
  const base64 = onePemBlock.exec(csrPem)?.[2];
  if (base64 === undefined) throw refuse(`must be one PEM block "-----BEGIN CERTIFICATE REQUEST-----" and nothing else: ${makeOne}`);
  try {
    return takeApart(Buffer.from(base64, 'base64'));
  } catch (cause) {
    throw refuse(`is not a PKCS#10 certificate signing request: ${makeOne}`, cause);
  }
}

/**
 * CertificationRequest of RFC 2986. Only its frame is read: OpenSSL parses the key and checks the signature; names and attributes are never looked at.
 * Own reader, because a full ASN.1 parser takes as long as verifying and signing together (145 us, 2026-11).
 */
function takeApart(der: Buffer): SigningRequest {
  const [request] = elements(der, '30');
  const [body, algorithm, signature] = elements(request?.content, '30 30 03');
  const [version, , publicKey] = elements(body?.content, '02 30 30', 'a0');
  if (body === undefined || algorithm === undefined || publicKey === undefined) throw new RangeError('an element is missing');
  if (version?.content.toString('hex') !== '00') throw new RangeError('not version 1');
  if (signature?.content[0] !== 0) throw new RangeError('the signature is not in whole bytes');
  return {
    body: body.whole,
    publicKey: publicKey.whole,
    algorithm: algorithm.whole.toString('hex'),
    signature: signature.content.subarray(1),
  };
}
/** The elements in `content`, whose tags must be exactly these (hexadecimal), the last one perhaps absent. */
function elements(content: Buffer | undefined, tags: string, optional = ''): readonly DerElement[] {
  const found = content === undefined ? [] : readDer(content);
  const shape = found.map(({ tag }) => tag.toString(16).padStart(2, '0')).join(' ');
  if (shape !== tags && shape !== `${tags} ${optional}`) throw new RangeError(`found the elements ${shape}, expected ${tags} ${optional}`);
  return found;
}

function readKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw refuse(`holds a public key that cannot be read: use P-256, P-384 or RSA of 2,048 to 8,192 bits; ${makeOne}`, cause);
  }
}
/** Named curve and uncompressed point, the only form that every TLS library takes (RFC 5480 2.2 forbids explicit parameters). */
const p384Head = Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex');
const isPlainPoint = (spki: Buffer): boolean =>
  [Buffer.concat([spkiHead, Buffer.of(4)]), p384Head].some((head) => head.equals(spki.subarray(0, head.length)));

/** P-256, P-384, RSA ≥ 2048: what Envoy's TLS verifies (no Ed25519, no P-521, no RSA-PSS keys). */
function refuseOtherKeys(key: KeyObject, spki: Buffer): void {
  if (isPlainPoint(spki)) return;
  const { namedCurve = '', modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (['prime256v1', 'secp384r1'].includes(namedCurve)) {
    throw refuse(
      `holds an elliptic-curve key with explicit parameters or a compressed point: use the named curve and the uncompressed point; ${makeOne}`,
    );
  }
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
