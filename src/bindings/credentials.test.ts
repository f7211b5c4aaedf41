import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../kernel/json.ts';
import type { CredentialFacts } from './credentials.ts';
import { credentialsOf } from './credentials.ts';

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false });
addFormats.default(ajv);
const validate = ajv.compile(
  JSON.parse(readFileSync(new URL('../../schemas/credentials.schema.json', import.meta.url), 'utf8')) as JsonObject,
);
const errorsOf = (credentials: unknown): string[] =>
  validate(credentials) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);

const limits = { requestsPerSecond: null, burst: null, requestsPerMonth: null };
const route = { name: 'default', match: null, split: [], timeout: '2s', retries: null, mirror: null, fault: null };
const inMesh: CredentialFacts = {
  bindingRef: 'mb-aaaaaaaaaaaaaaaaaaaa',
  consumerKind: 'sidecar',
  credentialKind: 'mesh-identity',
  principal: 'spiffe://mesh.example.com/ns/web/sa/productpage',
  serverId: 'spiffe://mesh.example.com/ns/bookinfo/sa/bookinfo-reviews',
  endpoints: [{ name: 'http', host: 'reviews.bookinfo.svc.cluster.local', port: 9080, protocol: 'http' }],
  traffic: { access: [{ methods: ['GET'], paths: ['/reviews/*'], grpcServices: [], ports: [] }], routes: [route], limits },
  issued: null,
  trustedPem: 'PEM to trust',
  publicUrl: 'https://broker.example.com',
  expiresAt: null,
  renewBefore: null,
};
const offMesh: CredentialFacts = {
  ...inMesh,
  consumerKind: 'off-mesh',
  credentialKind: 'x509-svid',
  principal: 'spiffe://bindings.example.com/ns/cf-acme/sa/mb-aaaaaaaaaaaaaaaaaaaa',
  endpoints: [{ name: 'http', host: 'mb-a.osb.example.com', port: 8443, protocol: 'https', servicePort: 9080 }],
  traffic: { ...inMesh.traffic, limits: { requestsPerSecond: 10, burst: 20, requestsPerMonth: 100_000 } },
  issued: {
    serial: '40', spiffeId: '', leafDer: Buffer.alloc(0), notAfter: new Date('2026-12-24T10:00:00Z'), chainPem: 'leaf and issuer', privateKeyPem: 'a private key',
  }, // prettier-ignore
  expiresAt: new Date('2026-12-24T10:00:00Z'),
  renewBefore: new Date('2026-12-14T10:00:00Z'),
};
const meshOf = (facts: CredentialFacts): JsonObject => credentialsOf(facts).credentials['mesh'] as JsonObject;

describe('the credentials of a binding', () => {
  test('by mesh identity name the service and hold no secret', () => {
    const { credentials, endpoints } = credentialsOf(inMesh);
    expect(errorsOf(credentials)).toEqual([]);
    expect(credentials).toEqual({
      schema: 'mesh-binding/v1',
      type: 'http',
      provider: 'meshbroker',
      uri: 'http://reviews.bookinfo.svc.cluster.local:9080',
      host: 'reviews.bookinfo.svc.cluster.local',
      port: '9080',
      auth: 'mesh-identity',
      'spiffe-id': 'spiffe://mesh.example.com/ns/web/sa/productpage',
      mesh: {
        binding_ref: 'mb-aaaaaaaaaaaaaaaaaaaa',
        consumer_kind: 'sidecar',
        trust_domain: 'mesh.example.com',
        server_identities: ['spiffe://mesh.example.com/ns/bookinfo/sa/bookinfo-reviews'],
        routes: [
          {
            name: 'http',
            host: 'reviews.bookinfo.svc.cluster.local',
            port: 9080,
            protocol: 'http',
            timeout: '2s',
            methods: ['GET'],
            paths: ['/reviews/*'],
          },
        ],
        usage_uri: 'https://broker.example.com/v1/bindings/mb-aaaaaaaaaaaaaaaaaaaa/usage',
      },
    });
    expect(endpoints).toEqual([{ host: 'reviews.bookinfo.svc.cluster.local', ports: ['9080'], protocol: 'tcp' }]);
  });
  test('off the mesh hold certificate, key, what to trust, and when they end', () => {
    const { credentials, endpoints } = credentialsOf(offMesh);
    expect(errorsOf(credentials)).toEqual([]);
    expect(credentials).toMatchObject({
      uri: 'https://mb-a.osb.example.com:8443',
      sni: 'mb-a.osb.example.com',
      auth: 'x509-svid',
      certificates: 'PEM to trust',
      'client-certificate': 'leaf and issuer',
      'private-key': 'a private key',
      'expires-at': '2026-12-24T10:00:00.000Z',
      'renew-before': '2026-12-14T10:00:00.000Z',
      mesh: {
        trust_domain: 'bindings.example.com',
        trust_bundle_uri: 'https://broker.example.com/spiffe/bundle',
        server_identities: ['dns:mb-a.osb.example.com'],
        limits: { requests_per_second: 10, burst: 20, quota: { requests_per_month: 100_000 } },
      },
    });
    expect(endpoints).toEqual([{ host: 'mb-a.osb.example.com', ports: ['8443'], protocol: 'tcp' }]);
  });
  test('from a CSR hold no private key, and end with the certificate where the binding itself has no end', () => {
    const { credentials } = credentialsOf({
      ...offMesh,
      issued: { ...offMesh.issued!, privateKeyPem: null },
      expiresAt: null,
      renewBefore: null,
    });
    expect(errorsOf(credentials)).toEqual([]);
    expect(credentials).not.toHaveProperty('private-key');
    expect(credentials['expires-at']).toBe('2026-12-24T10:00:00.000Z');
  });
  test('are flat text but for one object', () => {
    for (const facts of [inMesh, offMesh]) {
      const others = Object.entries(credentialsOf(facts).credentials).filter(([, value]) => typeof value !== 'string');
      expect(others.map(([name]) => name)).toEqual(['mesh']);
    }
  });
  test.each([
    ['http', 'sidecar', 'http://h:1', 'http'],
    ['http2', 'ambient', 'http://h:1', 'http'],
    ['grpc', 'vm', 'grpc://h:1', 'grpc'],
    ['tcp', 'sidecar', 'tcp://h:1', 'tcp'],
    ['tls', 'sidecar', 'tls://h:1', 'tcp'],
    ['https', 'off-mesh', 'https://h:1', 'http'],
    ['grpc', 'off-mesh', 'grpcs://h:1', 'grpc'],
    ['tls', 'off-mesh', 'tls://h:1', 'tcp'],
  ] as const)('for %s to a %s consumer say %s', (protocol, consumerKind, uri, type) => {
    // prettier-ignore
    const { credentials } = credentialsOf({ ...inMesh, consumerKind, endpoints: [{ name: 'p', host: 'h', port: 1, protocol }] });
    expect(errorsOf(credentials)).toEqual([]);
    expect(credentials).toMatchObject({ uri, type });
  });
  test('list each endpoint with the rules that hold for its port', () => {
    const access = [
      { methods: ['GET'], paths: ['/a'], grpcServices: [], ports: [80] },
      { methods: [], paths: [], grpcServices: ['shop.v1.Orders'], ports: [90] },
      { methods: ['POST'], paths: [], grpcServices: [], ports: [] },
    ];
    const endpoints = [
      { name: 'web', host: 'g', port: 8443, protocol: 'https', servicePort: 80 },
      { name: 'rpc', host: 'h', port: 90, protocol: 'grpc' },
      { name: 'more', host: 'h', port: 91, protocol: 'http' },
    ] as const;
    const facts = { ...inMesh, endpoints, traffic: { access, routes: [], limits } };
    const routes = meshOf(facts)['routes'] as JsonObject[];
    expect(routes.map(({ name, methods, paths }) => [name, methods, paths])).toEqual([
      ['web', ['GET'], ['/a']],
      ['web', ['POST'], undefined],
      ['rpc', undefined, ['/shop.v1.Orders/*']],
      ['rpc', ['POST'], undefined],
      ['more', ['POST'], undefined],
    ]);
    expect(credentialsOf(facts).endpoints).toEqual([
      { host: 'g', ports: ['8443'], protocol: 'tcp' },
      { host: 'h', ports: ['90', '91'], protocol: 'tcp' },
    ]);
    expect(errorsOf(credentialsOf(facts).credentials)).toEqual([]);
  });
  test.each([
    ['150ms', '150ms'],
    ['1m30s', '90s'],
    ['1h', '3600s'],
    ['2.5s', '2.5s'],
    ['1s500ms', '1.5s'],
  ])('write the timeout %s as %s', (timeout, expected) => {
    // prettier-ignore
    const { routes } = meshOf({ ...inMesh, traffic: { access: [], routes: [{ ...route, timeout }], limits } });
    expect(routes).toEqual([expect.objectContaining({ timeout: expected })]);
  });
  test('cannot be made without a certificate or without an endpoint', () => {
    expect(() => credentialsOf({ ...offMesh, issued: null })).toThrow('has no certificate yet');
    expect(() => credentialsOf({ ...inMesh, endpoints: [] })).toThrow('has no endpoint');
  });
});

describe('the published schema', () => {
  const { credentials } = credentialsOf(offMesh);
  test.each([
    ['a number as port', { port: 8443 }, '/port'],
    ['port 0', { port: '0' }, '/port'],
    ['another version', { schema: 'mesh-binding/v2' }, '/schema'],
    ['an upper-case trust domain', { 'spiffe-id': 'spiffe://Bindings/ns/a' }, '/spiffe-id'],
    ['no certificate beside x509-svid', { 'client-certificate': undefined }, "must have required property 'client-certificate'"],
    [
      'an unknown property of the mesh',
      { mesh: { ...(credentials['mesh'] as JsonObject), more: 1 } },
      '/mesh must NOT have additional properties',
    ],
    ['no server identity', { mesh: { ...(credentials['mesh'] as JsonObject), server_identities: [] } }, '/mesh/server_identities'],
  ])('refuses %s', (_, change, where) => {
    expect(errorsOf({ ...credentials, ...change }).join('\n')).toContain(where);
  });
  test('takes what later kinds of binding will carry', () => {
    const later = {
      auth: 'jwt-svid',
      token: 't',
      'token-type': 'Bearer',
      audience: 'reviews',
      'renewal-uri': 'https://broker.example.com/renew',
      password: 'unknown names are allowed',
    };
    expect(errorsOf({ ...credentials, ...later })).toEqual([]);
    const mesh = {
      ...(credentials['mesh'] as JsonObject),
      consumer_kind: 'federated-mesh',
      network: 'n',
      jwks_uri: 'https://a/b',
      client_config: [{}],
      limits: { quota: {} },
    };
    expect(errorsOf({ ...credentials, mesh })).toEqual([]);
  });
});
