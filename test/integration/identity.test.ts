import { createPrivateKey, X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pgAuthorityStore } from '../../src/identity/authority-store.pg.ts';
import { claimDatabase, secretFit } from '../../src/identity/broker-secret-store.pg.ts';
import type { CertificateRequest } from '../../src/identity/identity-port.ts';
import { builtInCa } from '../../src/identity/issuers/built-in-ca.ts';
import { createIdentity } from '../../src/identity/issuers/built-in-ca.pg.ts';
import { brokerSecret } from '../../src/identity/secret.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { installPointHook } from '../../src/kernel/points.ts';
import type { PointName } from '../../src/kernel/points.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { SqlDatabase } from '../../src/kernel/sql.ts';
import { describeIdentityIssuer } from '../contract/identity-issuer.ts';
import { freshDatabase } from '../support/database.ts';

const day = 86_400;
const secret = brokerSecret(Buffer.alloc(32, 5));
const bindingTrustDomain = 'bindings.example.com';
let db: SqlDatabase;
let database: Awaited<ReturnType<typeof freshDatabase>>;
beforeAll(async () => {
  database = await freshDatabase();
  db = database.db;
});
afterAll(() => database.drop());
afterEach(() => installPointHook(undefined));

const empty = (): Promise<unknown> => db.run('truncate certificate, certificate_holder, authority, broker_secret');
const identity = (clock: Clock = systemClock, other = secret) =>
  createIdentity({ db, secret: other, clock, random: systemRandom, settings: { bindingTrustDomain } });
const requestFor = (bindingRef: string, more: Partial<CertificateRequest> = {}): CertificateRequest => ({
  bindingRef,
  spiffeId: `spiffe://${bindingTrustDomain}/ns/cf-acme/sa/${bindingRef}`,
  csrPem: null,
  lifeSeconds: 30 * day,
  ...more,
});
const newCsr = (): string =>
  execFileSync(
    'openssl',
    ['req', '-new', '-nodes', '-keyout', '/dev/null', '-subj', '/CN=x', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
const states = async (bindingRef: string): Promise<string[]> =>
  (await db.run<{ state: string }>('select state from certificate where binding_ref = $1 order by created_at', [bindingRef])).rows.map(
    ({ state }) => state,
  );
const crashAt = (name: PointName): void =>
  installPointHook((reached) => {
    if (reached === name) throw new Error(`killed at ${name}`);
  });

describeIdentityIssuer('built-in CA on PostgreSQL', async () => {
  await empty();
  const replica = () =>
    builtInCa({
      store: pgAuthorityStore(db),
      secret,
      clock: systemClock,
      random: systemRandom,
      trustDomain: bindingTrustDomain,
      lives: { rootSeconds: 3650 * day, intermediateSeconds: 90 * day },
    });
  return { issuer: replica(), replica };
});

describe('a certificate of a binding', () => {
  beforeAll(empty);
  test('with a derived key is answered the same again, by every replica, and no key is stored', async () => {
    const first = await identity().certificates.issue(requestFor('mb-derived'));
    const again = await identity().certificates.issue(requestFor('mb-derived', { lifeSeconds: day }));
    expect(again).toEqual(first);
    const credentials = await identity().certificates.credentialsOf('mb-derived');
    expect(credentials).toMatchObject(first);
    const key = createPrivateKey(credentials?.privateKeyPem ?? '');
    expect(new X509Certificate(first.leafDer).checkPrivateKey(key)).toBe(true);
    expect((await identity().certificates.credentialsOf('mb-derived'))?.privateKeyPem).toBe(credentials?.privateKeyPem);
    const { rows } = await db.run<{ all: string }>(
      `select (select string_agg(c::text, '') from certificate c) || (select string_agg(a::text, '') from authority a) as all`,
    );
    const scalar = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
    expect(scalar.length).toBe(32);
    expect(rows[0]?.all).not.toContain(scalar.toString('hex'));
  });
  test('holds what was asked for and is counted from the clock of the database', async () => {
    const issued = await identity().certificates.issue(requestFor('mb-fields', { lifeSeconds: 3600 }));
    const leaf = new X509Certificate(issued.leafDer);
    const { rows } = await db.run<{ now: Date }>('select clock_timestamp() as now');
    const now = rows[0]!.now.getTime();
    expect(leaf.subjectAltName).toBe('URI:spiffe://bindings.example.com/ns/cf-acme/sa/mb-fields');
    expect(Math.abs(leaf.validFromDate.getTime() - (now - 60_000))).toBeLessThan(5_000);
    expect(Math.abs(leaf.validToDate.getTime() - (now + 3_600_000))).toBeLessThan(5_000);
    expect(leaf.validToDate).toEqual(issued.notAfter);
    const [first, second, ...rest] = issued.chainPem.match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g) ?? [];
    expect(rest).toEqual([]);
    expect(new X509Certificate(first!).raw).toEqual(issued.leafDer);
    const issuer = new X509Certificate(second!);
    const root = new X509Certificate(await identity().certificates.trustBundlePem());
    expect([leaf.verify(issuer.publicKey), issuer.verify(root.publicKey), root.verify(root.publicKey)]).toEqual([true, true, true]);
  });
  test('from a CSR carries no private key; the same key gets the same certificate, another key another one', async () => {
    const csrPem = newCsr();
    const first = await identity().certificates.issue(requestFor('mb-csr', { csrPem }));
    expect(await identity().certificates.issue(requestFor('mb-csr', { csrPem }))).toEqual(first);
    expect((await identity().certificates.credentialsOf('mb-csr'))?.privateKeyPem).toBeNull();
    const other = await identity().certificates.issue(requestFor('mb-csr', { csrPem: newCsr() }));
    expect(other.serial).not.toBe(first.serial);
    expect((await identity().certificates.credentialsOf('mb-csr'))?.serial).toBe(other.serial);
  });
  test('is not there before it is issued', async () => {
    expect(await identity().certificates.credentialsOf('mb-unknown')).toBeUndefined();
  });
  test.each([
    [{ spiffeId: 'spiffe://mesh.example.com/ns/a/sa/b' }, 'spiffe_id must lie in the binding trust domain'],
    [{ spiffeId: 'spiffe://bindings.example.com' }, 'spiffe_id must lie in the binding trust domain'],
    [{ spiffeId: 'spiffe://bindings.example.com/ns/../sa/b' }, 'spiffe_id is not a SPIFFE ID'],
    [{ csrPem: 'x' }, 'parameters.csr must be one PEM block'],
    [{ lifeSeconds: 59 }, 'at least 60 s'],
    [{ lifeSeconds: 60.5 }, 'in whole seconds'],
    [{ lifeSeconds: 45 * day + 1 }, "lower the plan's validity"],
  ])('is refused for %j, and nothing is recorded', async (more, reason) => {
    await expect(identity().certificates.issue(requestFor('mb-refused', more))).rejects.toThrow(reason);
    expect(await states('mb-refused')).toEqual([]);
  });
  test('may live for half of the life of the issuing certificate', async () => {
    expect(await identity().certificates.longestLifeSeconds()).toBe(45 * day);
    await identity().certificates.issue(requestFor('mb-longest', { lifeSeconds: 45 * day }));
  });
  test('is one, whoever asks at the same moment', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () =>
        identity()
          .certificates.issue(requestFor('mb-race'))
          .catch((error: unknown) => error),
      ),
    );
    const { serial } = await identity().certificates.issue(requestFor('mb-race'));
    for (const one of all)
      expect(one instanceof Error ? one.message : (one as { serial: string }).serial).toMatch(
        new RegExp(`^${serial}$|another worker is issuing`),
      );
    expect((await states('mb-race')).filter((state) => state === 'issued')).toHaveLength(1);
    expect((await identity().certificates.issue(requestFor('mb-race'))).serial).toBe(
      (await identity().certificates.credentialsOf('mb-race'))?.serial,
    );
  });
  test('is not signed while the clocks of host and database differ by more than 30 s', async () => {
    const late: Clock = { now: () => new Date(Date.now() - 31_000) };
    await expect(identity(late).certificates.issue(requestFor('mb-late'))).rejects.toThrow(
      /differ by 31 s, more than 30 s: set both by NTP/,
    );
    expect(await states('mb-late')).toEqual([]);
    await identity({ now: () => new Date(Date.now() + 25_000) }).certificates.issue(requestFor('mb-late'));
  });
});

describe('after a crash', () => {
  beforeAll(empty);
  test.each(['W3', 'W4'] as const)('at %s the intent is void and denied, and a new serial is used', async (name) => {
    const ref = `mb-${name.toLowerCase()}`;
    crashAt(name);
    await expect(identity().certificates.issue(requestFor(ref))).rejects.toThrow(`killed at ${name}`);
    installPointHook(undefined);
    expect(await states(ref)).toEqual(['intent']);
    const issued = await identity().certificates.issue(requestFor(ref));
    expect(await states(ref)).toEqual(['void', 'issued']);
    const denied = await identity().certificates.deniedSerials();
    const { rows } = await db.run<{ serial: string }>(`select serial from certificate where binding_ref = $1 and state = 'void'`, [ref]);
    expect(denied.map(({ serial }) => serial)).toContain(rows[0]?.serial);
    expect(denied.map(({ serial }) => serial)).not.toContain(issued.serial);
  });
  test('at W5 the recorded certificate is delivered', async () => {
    crashAt('W5');
    await expect(identity().certificates.issue(requestFor('mb-w5'))).rejects.toThrow('killed at W5');
    installPointHook(undefined);
    const recorded = await identity().certificates.credentialsOf('mb-w5');
    expect((await identity().certificates.issue(requestFor('mb-w5'))).serial).toBe(recorded?.serial);
    expect(await states('mb-w5')).toEqual(['issued']);
  });
  test('an intent that nobody takes up again is denied after a minute and swept to void', async () => {
    crashAt('W4');
    await expect(identity().certificates.issue(requestFor('mb-left'))).rejects.toThrow();
    installPointHook(undefined);
    const sweep = identity().tasks[1]!;
    await sweep.activate(AbortSignal.timeout(1000));
    expect(await states('mb-left')).toEqual(['intent']);
    const { rows } = await db.run<{ serial: string }>(
      `update certificate set created_at = created_at - interval '61 s' where binding_ref = 'mb-left' returning serial`,
    );
    expect((await identity().certificates.deniedSerials()).map(({ serial }) => serial)).toContain(rows[0]?.serial);
    while (await sweep.activate(AbortSignal.timeout(1000)));
    expect(await states('mb-left')).toEqual(['void']);
    expect((await identity().certificates.deniedSerials()).map(({ serial }) => serial)).toContain(rows[0]?.serial);
  });
  test('a worker that was paused between signing and recording does not use a certificate that was voided meanwhile', async () => {
    let paused = false;
    let winner: string | undefined;
    installPointHook(async (name) => {
      if (name !== 'W4' || paused) return;
      paused = true;
      winner = (await identity().certificates.issue(requestFor('mb-paused'))).serial;
    });
    const issued = await identity().certificates.issue(requestFor('mb-paused'));
    expect(issued.serial).toBe(winner);
    expect((await states('mb-paused')).sort()).toEqual(['issued', 'void']);
  });
});

describe('a retired binding', () => {
  beforeAll(empty);
  test('has its serial denied, and gets no further certificate; retiring may be repeated', async () => {
    const { certificates } = identity();
    const { serial } = await certificates.issue(requestFor('mb-retired'));
    await certificates.retire('mb-retired');
    await certificates.retire('mb-retired');
    expect(await certificates.deniedSerials()).toEqual([expect.objectContaining({ serial })]);
    await expect(certificates.issue(requestFor('mb-retired'))).rejects.toThrow('the binding mb-retired was unbound');
    expect(await certificates.credentialsOf('mb-retired')).toBeUndefined();
  });
  test('gets none either when it never had one', async () => {
    const { certificates } = identity();
    await certificates.retire('mb-never');
    await expect(certificates.issue(requestFor('mb-never'))).rejects.toThrow('the binding mb-never was unbound');
  });
  test.each(['W3', 'W4'] as const)('gets none when it is retired while a worker stands at %s', async (at) => {
    const ref = `mb-late-${at.toLowerCase()}`;
    installPointHook(async (name) => {
      if (name === at) await identity().certificates.retire(ref);
    });
    await expect(identity().certificates.issue(requestFor(ref))).rejects.toThrow(`the binding ${ref} was unbound`);
    expect(await states(ref)).toEqual(['void']);
  });
  test('never keeps a certificate, however issue and retire interleave', async () => {
    for (let round = 0; round < 20; round += 1) {
      const ref = `mb-mix-${round}`;
      await Promise.allSettled([
        identity().certificates.issue(requestFor(ref)),
        identity().certificates.retire(ref),
        identity().certificates.issue(requestFor(ref)),
      ]);
      expect(await states(ref)).not.toContain('issued');
    }
  });
});

describe('the authorities', () => {
  beforeAll(empty);
  const age = (kind: string, days: number): Promise<unknown> =>
    db.run(
      `update authority set not_before = not_before - make_interval(days => $2), not_after = not_after - make_interval(days => $2) where kind = $1`,
      [kind, days],
    );
  const expiresInPast = `update authority set not_after = clock_timestamp() - interval '40 days', not_before = clock_timestamp() - interval '130 days' where state = 'retired'`;

  test('are renewed by the task ahead of half of their life, and the old intermediate keeps its leaves', async () => {
    const { certificates, tasks } = identity();
    const old = await certificates.issue(requestFor('mb-old'));
    const before = await certificates.trustBundle();
    await age('intermediate', 37);
    await tasks[0]!.activate(AbortSignal.timeout(1000));
    const fresh = await certificates.issue(requestFor('mb-fresh', { lifeSeconds: 45 * day }));
    expect(fresh.chainPem.split('-----BEGIN')[2]).not.toBe(old.chainPem.split('-----BEGIN')[2]);
    expect((await certificates.credentialsOf('mb-old'))?.chainPem).toBe(old.chainPem);
    const root = new X509Certificate(await certificates.trustBundlePem());
    for (const { chainPem } of [old, fresh]) {
      const [leaf, issuer] = (chainPem.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? []).map((text) => new X509Certificate(text));
      expect(leaf!.verify(issuer!.publicKey) && issuer!.verify(root.publicKey)).toBe(true);
    }
    expect(await certificates.trustBundle()).toEqual(before);
  });
  test('stay one each while eight replicas renew at the same moment', async () => {
    await age('intermediate', 37);
    await Promise.all(Array.from({ length: 8 }, () => identity().tasks[0]!.activate(AbortSignal.timeout(5000))));
    const { rows } = await db.run(
      `select kind, count(*) filter (where state = 'active')::int as active, count(*)::int as all from authority group by 1 order by 1`,
    );
    expect(rows).toEqual([{ kind: 'intermediate', active: 1, all: 3 }, { kind: 'root', active: 1, all: 1 }]); // prettier-ignore
  });
  test('publish a new root beside the old one, and the sequence of the bundle only rises', async () => {
    const { certificates } = identity();
    const sequenceOf = async (): Promise<number> => Number((await certificates.trustBundle())['spiffe_sequence']);
    const first = await sequenceOf();
    await age('root', 3650 - 200);
    const both = await certificates.trustBundle();
    expect(both['keys']).toHaveLength(2);
    expect(both['spiffe_sequence']).toBe(first + 1);
    expect((await certificates.trustBundlePem()).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    await db.run(`update authority set not_after = clock_timestamp() - interval '1 s' where kind = 'root' and state = 'retired'`);
    const one = await certificates.trustBundle();
    expect(one['keys']).toHaveLength(1);
    expect(one['spiffe_sequence']).toBe(first + 2);
  });
  test('and certificates are deleted a while after their end, roots and live ones never', async () => {
    const sweep = identity().tasks[1]!;
    await db.run(`update certificate set not_after = clock_timestamp() - interval '31 days' where binding_ref = 'mb-old'`);
    await db.run(`${expiresInPast} and kind = 'intermediate'`);
    await identity().certificates.retire('mb-gone');
    await db.run(`update certificate_holder set retired_at = clock_timestamp() - interval '31 days' where binding_ref = 'mb-gone'`);
    while (await sweep.activate(AbortSignal.timeout(1000)));
    expect(await states('mb-old')).toEqual([]);
    expect(await states('mb-fresh')).toEqual(['issued']);
    const { rows } = await db.run(
      `select (select count(*)::int from authority where kind = 'root') as roots, (select count(*)::int from certificate_holder where binding_ref = 'mb-gone') as gone`,
    );
    expect(rows).toEqual([{ roots: 2, gone: 0 }]);
  });
  test('are not made while the clocks differ', async () => {
    await empty();
    await expect(identity({ now: () => new Date(Date.now() + 40_000) }).tasks[0]!.activate(AbortSignal.timeout(1000))).rejects.toThrow(
      'differ by',
    );
    expect((await db.run('select id from authority')).count).toBe(0);
  });
  test('the bundle is a SPIFFE JWKS: x5c of one certificate, use x509-svid, no kid', async () => {
    const { certificates } = identity();
    const bundle = await certificates.trustBundle();
    const root = new X509Certificate(await certificates.trustBundlePem());
    const { x, y } = root.publicKey.export({ format: 'jwk' });
    expect(bundle).toEqual({
      keys: [{ kty: 'EC', crv: 'P-256', x, y, use: 'x509-svid', x5c: [root.raw.toString('base64')] }],
      spiffe_sequence: 1,
      spiffe_refresh_hint: 300,
    });
  });
});

describe('a wrapped key of an authority', () => {
  const fresh = async (): Promise<void> => {
    await empty();
    await identity().certificates.trustBundle();
  };
  test.each([
    ['a flipped bit', `update authority set wrapped_key = set_byte(wrapped_key, 40, get_byte(wrapped_key, 40) # 1)`],
    ['another version', `update authority set wrapped_key = set_byte(wrapped_key, 0, 2)`],
    ['a cut tag', `update authority set wrapped_key = substr(wrapped_key, 1, length(wrapped_key) - 1)`],
    ['the key of another row', `update authority a set wrapped_key = (select wrapped_key from authority b where b.id <> a.id)`],
  ])('is refused with %s', async (_, change) => {
    await fresh();
    await db.run(change);
    await expect(identity().certificates.issue(requestFor('mb-bent'))).rejects.toThrow(
      /authority.wrapped_key of row .* cannot be unwrapped/,
    );
    expect(await states('mb-bent')).toEqual([]);
  });
  test('is refused under another secret', async () => {
    await fresh();
    await expect(identity(systemClock, brokerSecret(Buffer.alloc(32, 6))).certificates.issue(requestFor('mb-bent'))).rejects.toThrow(
      "is not this database's secret",
    );
  });
  test('is refused when it is not the key of its certificate', async () => {
    await fresh();
    await db.run(`update authority set certificate = (select certificate from authority where kind = 'root') where kind = 'intermediate'`);
    await expect(identity().certificates.issue(requestFor('mb-bent'))).rejects.toThrow("has a key that is not its certificate's");
  });
});

describe('the secret of a database', () => {
  beforeAll(empty);
  test('is the first one that was used with it; another one does not start', async () => {
    expect(await secretFit(db, secret)).toBe('first');
    await Promise.all([claimDatabase(db, secret), claimDatabase(db, secret)]);
    await claimDatabase(db, secret);
    expect(await secretFit(db, secret)).toBe('fits');
    const other = brokerSecret(Buffer.alloc(32, 6));
    expect(await secretFit(db, other)).toBe('differs');
    await expect(claimDatabase(db, other)).rejects.toThrow('MESHBROKER_SECRET_FILE is not the secret of this database');
  });
});
