import 'reflect-metadata';
import { webcrypto, type KeyObject } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

/** A certificate signing request, PEM, as a consumer makes it. */
export async function csrFor({
  publicKey,
  privateKey,
}: {
  publicKey: KeyObject;
  privateKey: KeyObject;
}): Promise<{ publicKey: KeyObject; csr: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = {
    publicKey: await webcrypto.subtle.importKey('spki', publicKey.export({ type: 'spki', format: 'der' }), algorithm, true, ['verify']),
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), algorithm, true, ['sign']),
  };
  const request = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=ignored', keys, signingAlgorithm: algorithm }, webcrypto);
  return { publicKey, csr: request.toString('pem') };
}
