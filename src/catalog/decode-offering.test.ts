import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import offeringSchema from '../../schemas/offering.schema.json' with { type: 'json' };
import { aPlanFile, anOfferingFile } from '../../test/support/builders.ts';
import { decodeOffering } from './decode-offering.ts';
import { durationMs } from './duration.ts';
import { compileDraft04 } from './json-schema.ts';
import { checkStructure } from './offering-schema.ts';
import { draft04 } from './parameter-schemas.ts';
import type { PlanFile } from './offering-file.ts';

const decode = (plan: Partial<PlanFile> = {}) => {
  const [decoded] = decodeOffering(anOfferingFile({ plans: [aPlanFile(plan)] }), new Map()).plans;
  if (decoded === undefined) throw new Error('there is a plan');
  return decoded;
};

describe('ids', () => {
  test('are made from names, the same everywhere and always', () => {
    const offering = decodeOffering(anOfferingFile(), new Map());
    expect(offering.id).toBe('36d2dac3-e5a2-5a49-93da-f0205ffeb28a');
    expect(offering.plans[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(decodeOffering(anOfferingFile({ name: 'other' }), new Map()).id).not.toBe(offering.id);
  });
  test('of plans stay when an offering with an id gets another name', () => {
    const ids = (name: string) => decodeOffering(anOfferingFile({ id: 'fixed', name }), new Map()).plans.map(({ id }) => id);
    expect(ids('one')).toEqual(ids('two'));
  });
});

describe('a plan', () => {
  test('has every default filled in', () => {
    const offering = decodeOffering(anOfferingFile({ plans: [{ name: 'plain', description: 'Plain.' }] }), new Map());
    expect(offering).toMatchObject({
      bindable: true,
      tags: [],
      metadata: {},
      apis: [],
      mesh: { grantForm: 'verdict', existingCallers: [] },
    });
    expect(offering.plans[0]).toMatchObject({
      free: true, bindable: true, asynchronous: false, bindingRotatable: false, planUpdateable: true, maintenanceInfo: null,
      maximumPollingDurationSeconds: null, consumerKinds: ['sidecar'], credentials: ['mesh-identity'], bindingValiditySeconds: null,
      training: null, metadata: {},
      traffic: {
        access: [], routes: [], retryBudget: null, loadBalancing: null, locality: null, connectionPool: null, outlierDetection: null,
        limits: { requestsPerSecond: null, burst: null, requestsPerMonth: null }, maxConnectionDuration: null, routePriority: 0,
      },
    }); // prettier-ignore
    expect(offering.plans[0]?.traffic.tag).toMatch(/^[0-9a-f]{8}$/);
  });
  test('is free unless it costs something', () => {
    expect(decode({ costs: [{ amount: { usd: 1 }, unit: 'month' }] }).free).toBe(false);
    expect(decode({ free: false }).free).toBe(false);
  });
  test('offers the credentials that its consumers need', () => {
    expect(decode({ consumers: ['off-mesh'] }).credentials).toEqual(['x509-svid']);
    expect(decode({ consumers: ['vm', 'off-mesh'] }).credentials).toEqual(['mesh-identity', 'x509-svid']);
  });
  test('takes the offering for what it does not say itself', () => {
    const file = anOfferingFile({
      bindable: false,
      plan_updateable: false,
      plans: [aPlanFile(), aPlanFile({ name: 'b', bindable: true, plan_updateable: true })],
    });
    expect(decodeOffering(file, new Map()).plans.map(({ bindable, planUpdateable }) => [bindable, planUpdateable])).toEqual([
      [false, false],
      [true, true],
    ]);
  });
  test('keeps everything that its file says', () => {
    const file: PlanFile = {
      name: 'full', description: 'All.', id: 'plan-1', display_name: 'Full', bullets: ['a'], free: false, price: '1 USD', costs: [{ amount: { usd: 1 }, unit: 'month' }],
      asynchronous: true, binding_rotatable: true, maintenance_info: { version: '1.0.0', description: 'Text.' }, maximum_polling_duration: 60,
      consumers: ['sidecar', 'off-mesh'], credentials: ['mesh-identity', 'x509-svid'], binding_validity: '1h30m', test: true,
      access: [{ methods: ['GET'], paths: ['/a/*'], ports: [8080] }],
      routes: [{
        name: 'r', match: { path: { prefix: '/a' }, headers: { 'x-b': { exact: '1' }, 'x-a': { regex: 'v.' } }, methods: ['GET'] },
        split: [{ subset: 'v1', weight: 40 }, { weight: 60 }], timeout: '2s', retries: { attempts: 2 },
        mirror: { subset: 'v2' }, fault: { delay: { duration: '1s', percent: 1 } },
      }],
      retry_budget: { percent: 20 }, load_balancing: { consistent_hash_header: 'x-user' }, locality: { failover_priority: ['topology.kubernetes.io/zone'] },
      connection_pool: { max_connections: 1 }, outlier_detection: { consecutive_5xx_errors: 5 }, limits: { requests_per_second: 10, requests_per_month: 1000 },
      max_connection_duration: '1h', route_priority: 3, training: [{ operation: 'bind', behaviour: 'fail' }],
    }; // prettier-ignore
    expect(checkStructure(anOfferingFile({ plans: [file] }))).toMatchObject({ ok: true });
    expect(decode(file)).toMatchObject({
      id: 'plan-1', free: false, metadata: { displayName: 'Full', bullets: ['a'], x_price: '1 USD', costs: [{ amount: { usd: 1 }, unit: 'month' }] },
      asynchronous: true, bindingRotatable: true, maintenanceInfo: { version: '1.0.0', description: 'Text.' }, maximumPollingDurationSeconds: 60, bindingValiditySeconds: 5400,
      training: { rules: [{ operation: 'bind', behaviour: 'fail', seconds: 0 }] },
      traffic: {
        access: [{ methods: ['GET'], paths: ['/a/*'], grpcServices: [], ports: [8080] }],
        routes: [{
          name: 'r',
          match: { path: { prefix: '/a' }, headers: [{ name: 'x-a', value: { regex: 'v.' } }, { name: 'x-b', value: { exact: '1' } }], methods: ['GET'] },
          split: [{ subset: 'v1', weight: 40 }, { subset: null, weight: 60 }], timeout: '2s',
          retries: { attempts: 2, perTryTimeout: null, retryOn: ['connect-failure', 'refused-stream', 'unavailable'] },
          mirror: { host: null, subset: 'v2', percent: 100 }, fault: { delay: { duration: '1s', percent: 1 }, abort: null },
        }],
        retryBudget: { percent: 20, minRetryConcurrency: 3 }, loadBalancing: { algorithm: 'LEAST_REQUEST', consistentHashHeader: 'x-user', warmup: null },
        connectionPool: { maxConnections: 1, connectTimeout: null }, outlierDetection: { consecutive5xxErrors: 5, interval: null },
        limits: { requestsPerSecond: 10, burst: 10, requestsPerMonth: 1000 }, maxConnectionDuration: '1h', routePriority: 3,
      },
    }); // prettier-ignore
  });
});

describe('schemas of parameters', () => {
  test('are draft-04 and valid as such, and a bind without parameters fits', () => {
    const { schemas } = decode({
      parameters: { provision: { type: 'object', required: ['a'] }, bind: { type: 'object', properties: { note: { type: 'string' } } } },
    });
    for (const schema of Object.values(schemas)) expect(schema['$schema']).toBe(draft04);
    expect(compileDraft04(schemas.bind)({})).toBe(true);
    expect(compileDraft04(schemas.update)({ anything: 1 })).toBe(true);
    expect(compileDraft04(schemas.create)({})).toBe(false);
    expect(Object.keys(schemas.bind['properties'] ?? {})).toEqual(['consumer', 'csr', 'note']);
  });
  test('ask for a signing request only where certificates are handed out', () => {
    const { schemas } = decode({ consumers: ['sidecar'] });
    expect(compileDraft04(schemas.bind)({ csr: '-----BEGIN CERTIFICATE REQUEST-----' })).toBe(false);
    expect(compileDraft04(schemas.bind)({ consumer: { kind: 'vm' } })).toBe(false);
  });
});

test.each([
  ['150ms', 150],
  ['2s', 2_000],
  ['1m30s', 90_000],
  ['24h', 86_400_000],
  ['1h1m1s1ms', 3_661_001],
])('%s lasts %i ms', (text, ms) => expect(durationMs(text)).toBe(ms));

test('the published schema of offering files is itself a valid draft-07 schema', () => {
  const ajv = new Ajv();
  expect(ajv.validateSchema(offeringSchema)).toBe(true);
});
