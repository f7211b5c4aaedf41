import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { longestLeafSeconds } from '../../src/identity/authority.ts';
import type { IdentityIssuer } from '../../src/identity/identity-issuer.ts';
import type { CertificateIntent } from '../../src/identity/identity-port.ts';
import { lintLeaf } from '../../src/identity/lint-certificate.ts';
import { p256KeyFromSeed } from '../../src/identity/p256-key.ts';

/** Every identity issuer that signs must pass this. `make` gives one of the trust domain `bindings.example.com` on a store that nobody used yet, several on that same store when called with it. */
export function describeIdentityIssuer(
  name: string,
  make: () => Promise<{ readonly issuer: IdentityIssuer; readonly replica: () => IdentityIssuer }>,
): void {
  const key = p256KeyFromSeed(Buffer.alloc(48, 9));
  const intentFor = async (issuer: IdentityIssuer, serial = '45'.repeat(16)): Promise<CertificateIntent> => {
    const { id, now } = await issuer.current();
    const second = Math.floor(now.getTime() / 1000) * 1000;
    const spiffeId = 'spiffe://bindings.example.com/ns/cf-acme/sa/mb-abc';
    return {
      serial,
      spiffeId,
      publicKey: key.publicKey,
      notBefore: new Date(second - 60_000),
      notAfter: new Date(second + 3_600_000),
      authorityId: id,
    };
  };

  describe(`identity issuer: ${name}`, () => {
    test('has an issuing authority of its trust domain that can sign for half of its life', async () => {
      const { issuer } = await make();
      const authority = await issuer.current();
      const certificate = authority.certificate;
      expect(certificate.subjectAltName).toBe('URI:spiffe://bindings.example.com');
      expect(certificate.ca).toBe(true);
      expect([certificate.validFromDate, certificate.validToDate]).toEqual([authority.notBefore, authority.notAfter]);
      const half = (authority.notAfter.getTime() - authority.notBefore.getTime()) / 2000;
      expect(longestLeafSeconds(authority, authority.now)).toBe(Math.floor(half));
    });
    test('stays the same when asked again', async () => {
      const { issuer, replica } = await make();
      const { id } = await issuer.current();
      expect((await issuer.current()).id).toBe(id);
      expect((await replica().current()).id).toBe(id);
    });
    test('is one and the same for replicas that start at the same moment', async () => {
      const { issuer, replica } = await make();
      const replicas = [issuer, replica(), replica(), replica()];
      const ids = await Promise.all(replicas.map(async (one) => (await one.current()).id));
      expect(new Set(ids).size).toBe(1);
      const trusted = await Promise.all(replicas.map((one) => one.trusted()));
      expect(trusted.map(({ roots }) => roots.length)).toEqual([1, 1, 1, 1]);
      expect(new Set(trusted.map(({ sequence }) => sequence)).size).toBe(1);
    });
    test('signs exactly what was intended, under a root that it publishes', async () => {
      const { issuer } = await make();
      const intent = await intentFor(issuer);
      const authority = (await issuer.current()).certificate;
      lintLeaf(await issuer.sign(intent), intent, authority);
      const roots = (await issuer.trusted()).roots.map((der) => new X509Certificate(der));
      expect(roots.some((root) => authority.checkIssued(root) && authority.verify(root.publicKey))).toBe(true);
    });
    test('signs the same certificate when asked again, in another process too', async () => {
      const { issuer, replica } = await make();
      const intent = await intentFor(issuer);
      const authority = (await issuer.current()).certificate;
      for (const one of [issuer, issuer, replica()]) lintLeaf(await one.sign(intent), intent, authority);
    });
    test('refuses to sign for an authority that is not its own', async () => {
      const { issuer } = await make();
      const intent = await intentFor(issuer);
      await expect(issuer.sign({ ...intent, authorityId: '00000000-0000-4000-8000-000000000000' })).rejects.toThrow(
        'is not the issuing one',
      );
    });
  });
}
