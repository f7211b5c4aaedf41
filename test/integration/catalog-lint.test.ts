import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lintCatalog } from '../../src/catalog/lint-catalog.ts';
import { formatProblem } from '../../src/catalog/problem.ts';
import type { RuleSettings } from '../../src/catalog/rules/offering-rules.ts';
import { lintDirectory, type LintDirectory, planHead, serviceHead, subsets } from '../support/lint-catalog.ts';

let catalog: LintDirectory;
let directory: string;
beforeEach(async () => {
  catalog = await lintDirectory();
  ({ directory } = catalog);
});
afterEach(() => catalog.remove());

const head = serviceHead + subsets;
const write: LintDirectory['write'] = (name, text) => catalog.write(name, text);
const lint = (options: Partial<RuleSettings> = {}): Promise<string[]> => catalog.lint(options);
const lintText = async (text: string, options: Partial<RuleSettings> = {}): Promise<string[]> => {
  await write('orders.yaml', text);
  return lint(options);
};
/** A plan of the good offering with these lines; they begin in line 17. */
const lintPlan = (lines: string, options: Partial<RuleSettings> = {}): Promise<string[]> =>
  lintText(head + planHead + lines.replaceAll(/^(?=.)/gm, '    '), options);

test('a good file has no problems', async () => {
  expect(await lintText(head + planHead)).toEqual([]);
});
test('Bookinfo has notes only', async () => {
  const problems = await lintCatalog(new URL('../../examples/bookinfo', import.meta.url).pathname);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(problems.map(formatProblem).join('\n')).toContain('ratings.yaml:61:7: note: plans[3]: a training plan, and not on the shelf');
  expect(problems.map(formatProblem).join('\n')).toContain('no id is given for reviews, standard, canary');
});

describe('the structure', () => {
  test.each([
    ['an unknown key', `naem: x\n${head}${planHead}`, 'orders.yaml:1:1: error: the document: unknown key "naem"; did you mean name?'],
    [
      'camel case',
      head.replace('service_account', 'serviceAccount') + planHead,
      'orders.yaml:9:3: error: service: unknown key "serviceAccount"; did you mean service_account?',
    ],
    [
      'a missing key',
      head.replace('description: Orders of the shop.\n', '') + planHead,
      'orders.yaml:1:1: error: the document: description is missing; add description',
    ],
    [
      'a number for text',
      `${head}${planHead}    maintenance_info: { version: 1.0 }\n`,
      'orders.yaml:17:34: error: plans[0].maintenance_info.version: must be text, and is a number; write it in quotes: "1"',
    ],
    [
      'a wrong word',
      head.replace('HTTP }', 'HTP }') + planHead,
      'orders.yaml:7:49: error: service.ports[0].protocol: "HTP" is not known; use HTTP, HTTP2, GRPC, TCP, TLS (did you mean HTTP?)',
    ],
    [
      'a port out of range',
      head.replace('8080', '80800') + planHead,
      'orders.yaml:7:33: error: service.ports[0].number: 80800 is out of range; use 1 to 65535',
    ],
    [
      'a bad name',
      head.replace('name: orders', 'name: Orders API') + planHead,
      'orders.yaml:2:7: error: name: "Orders API" is not allowed here; use 1 to 63 lower-case letters',
    ],
    ['a long id', head.replace(/id: .*/, `id: ${'a'.repeat(64)}`) + planHead, 'orders.yaml:1:5: error: id: "aaaa'],
    ['no plans', `${head}plans: []\n`, 'orders.yaml:13:8: error: plans: is empty; write at least one plan, such as'],
    [
      'a wildcard host',
      head.replace('[orders.shop.svc.cluster.local]', '["*.shop.example.com"]') + planHead,
      'service.hosts[0]: "*.shop.example.com" is not allowed here; write the full host name',
    ],
    [
      'a bad label',
      head.replace('{ app: orders }', '{ app: "or ders" }') + planHead,
      'service.workload_selector.app: "or ders" is not allowed here; a label value has at most 63',
    ],
    [
      'a bad label key',
      head.replace('{ app: orders }', '{ "a b": orders }') + planHead,
      'orders.yaml:8:24: error: service.workload_selector: "a b" is not allowed here; a label key is a name',
    ],
    [
      'an empty selector',
      head.replace('{ app: orders }', '{}') + planHead,
      'service.workload_selector: is empty; write at least one label, such as app: reviews',
    ],
    [
      'a short principal',
      head + '  existing_callers: [web/frontend]\n' + planHead,
      'service.existing_callers[0]: "web/frontend" is not allowed here; write ns/<namespace>/sa/<service account>, or',
    ],
    [
      'a SPIFFE ID for a principal',
      head + '  existing_callers: [spiffe://mesh.example.com/ns/web/sa/frontend]\n' + planHead,
      'without spiffe://',
    ],
    ['YAML that is none', `${head}plans: [\n`, 'orders.yaml:14:1: error: not YAML'],
    ['a key twice', `${head}${planHead}name: again\n`, 'orders.yaml:17:1: error: not YAML: duplicated mapping key; keep one of them'],
    ['a tag of other YAML', head.replace('Orders of the shop.', '!!binary aGVsbG8=') + planHead, 'orders.yaml:3:14: error: not YAML'],
    ['a value left out', head.replace('Orders of the shop.', '') + planHead, 'description: must be text, and is without a value'],
    [
      'a control character',
      head.replace('Orders of the shop.', '"a\\0b"') + planHead,
      'orders.yaml:3:14: error: description: has a control character; remove it',
    ],
    ['half of a character', head.replace('Orders of the shop.', '"a\\uD800b"') + planHead, 'description: has half of a surrogate pair'],
    [
      'a prototype',
      `${head}${planHead}    parameters: { bind: { type: object, properties: { __proto__: { type: string } } } }\n`,
      'this key is not allowed',
    ],
    [
      'a path out of the directory',
      `${head}apis: [{ name: a, kind: openapi, file: ../../etc/passwd }]\n${planHead}`,
      'apis[0].file: "../../etc/passwd" is not allowed here; write a path below the directory',
    ],
  ])('%s', async (_name, text, expected) => {
    const problems = await lintText(text);
    expect(problems.join('\n')).toContain(expected);
  });
  test('tells every problem at once, in order', async () => {
    const problems = await lintText(
      head.replace('8080', '0').replace('orders.shop', 'Orders.shop') + planHead.replace('standard', 'Standard'),
    );
    expect(problems.map((line) => line.split(':').slice(0, 3).join(':'))).toEqual([
      'orders.yaml:6:11',
      'orders.yaml:7:33',
      'orders.yaml:15:11',
    ]);
  });
  test('aliases cannot blow a document up', async () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name, index, all) => {
      const before = all[index - 1];
      return `      ${name}: &${name} [${Array(10)
        .fill(before === undefined ? 'x' : `*${before}`)
        .join(', ')}]`;
    });
    const text = `${head}metadata:\n  extra:\n    bomb:\n${levels.join('\n')}\n${planHead}`;
    expect((await lintText(text)).join('\n')).toContain('the document has more than 50000 values');
  });
});

describe('the rules', () => {
  test.each([
    [
      'weights',
      'routes: [{ name: a, split: [{ subset: v1, weight: 60 }, { subset: v2, weight: 30 }] }]',
      '17:32: error: plans[0].routes[0].split: the weights add to 90; make them add to 100',
    ],
    [
      'an unknown subset',
      'routes: [{ name: a, split: [{ subset: v9, weight: 100 }] }]',
      '17:43: error: plans[0].routes[0].split[0].subset: the service has no subset "v9"; use v1, v2',
    ],
    [
      'a subset twice',
      'routes: [{ name: a, split: [{ subset: v1, weight: 40 }, { subset: v1, weight: 60 }] }]',
      '"v1" is already taken by plans[0].routes[0].split[0]',
    ],
    [
      'a hidden route',
      'routes: [{ name: a }, { name: b, timeout: 1s }]',
      'plans[0].routes[1]: is never reached, because a takes its requests',
    ],
    [
      'a fault',
      'routes: [{ name: a, fault: { abort: { status: 503, percent: 5 } } }]',
      'plans[0].routes[0].fault: injects faults, and the plan is no test plan',
    ],
    [
      'many routes at a waypoint',
      `consumers: [ambient]\nroutes: [${Array.from({ length: 16 }, (_, index) => `{ name: r${index}, match: { path: { exact: /${index} } } }`).join(', ')}]`,
      'a waypoint takes at most 15 routes',
    ],
    [
      'a foreign mirror at a waypoint',
      'consumers: [ambient]\nroutes: [{ name: a, mirror: { host: b.web.svc.cluster.local } }]',
      'a waypoint mirrors within its namespace only',
    ],
    [
      'a fault at a waypoint',
      'test: true\nconsumers: [ambient]\nroutes: [{ name: a, fault: { abort: { status: 503, percent: 5 } } }]',
      'a waypoint cannot inject faults',
    ],
    ['a long try', 'routes: [{ name: a, timeout: 1s, retries: { attempts: 1, per_try_timeout: 2s } }]', '2s is longer than the timeout'],
    [
      'a retry condition',
      'routes: [{ name: a, retries: { attempts: 1, retry_on: [always] } }]',
      'plans[0].routes[0].retries.retry_on[0]: "always" is not allowed here; use an Envoy retry condition',
    ],
    [
      'an expression',
      "routes: [{ name: a, match: { path: { regex: '/(?=a)' } } }]",
      'plans[0].routes[0].match.path: Envoy refuses the expression: RE2 has no look-ahead',
    ],
    [
      'two ways to match',
      'routes: [{ name: a, match: { path: { exact: /a, prefix: /b } } }]',
      'plans[0].routes[0].match.path: has several alternatives; keep one of them',
    ],
    [
      'a header name',
      'routes: [{ name: a, match: { headers: { X-Canary: { exact: a } } } }]',
      '17:45: error: plans[0].routes[0].match.headers: "X-Canary" is not allowed here; write the header name in lower case',
    ],
    ['a pseudo header', 'routes: [{ name: a, match: { headers: { authority: { exact: a } } } }]', '(not uri, scheme, method or authority)'],
    ['a fraction of a second', 'routes: [{ name: a, timeout: 1.5s }]', '"1.5s" is not allowed here; write a duration such as 150ms'],
    ['no time at all', 'routes: [{ name: a, timeout: 0s }]', 'plans[0].routes[0].timeout: lasts nothing'],
    ['a mirror to itself', 'routes: [{ name: a, mirror: { percent: 1 } }]', 'mirrors the service to itself'],
    [
      'ambient without waypoint',
      'consumers: [sidecar, ambient]',
      '17:16: error: plans[0].consumers: ambient needs a waypoint; add service.waypoint',
    ],
    ['off-mesh without certificate', 'consumers: [off-mesh]\ncredentials: [mesh-identity]', 'off-mesh consumers need it; add x509-svid'],
    ['a certificate for nobody', 'credentials: [mesh-identity, x509-svid]', 'nobody can use x509-svid'],
    [
      'a long validity',
      'consumers: [off-mesh]\nbinding_validity: 1081h',
      'plans[0].binding_validity: 1081h is longer than half the life of the issuing certificate; write 1080h or less',
    ],
    ['a short validity', 'binding_validity: 10s', '10s is too short'],
    ['a free plan with costs', 'free: true\ncosts: [{ amount: { usd: 1 }, unit: month }]', 'plans[0].free: true, and the plan has costs'],
    ['a price without an answer', 'price: 5 USD', 'does not say whether it is free'],
    ['locality alone', 'locality: { failover_priority: [topology.kubernetes.io/zone] }', 'has no effect without outlier_detection'],
    ['burst alone', 'limits: { burst: 5 }', 'plans[0].limits.burst: must not be below requests_per_second'],
    ['a port that is not there', 'access: [{ ports: [9090] }]', 'plans[0].access[0].ports[0]: the service has no port 9090'],
    ['gRPC over HTTP/1', 'access: [{ grpc_services: [a.B] }]', 'needs a GRPC or HTTP2 port'],
    ['a star inside a path', "access: [{ paths: ['/a*b/c'] }]", '"*" stands at the beginning or the end only'],
    ['half a template', "access: [{ paths: ['/a/x{*}'] }]", 'a template is a whole segment'],
    ['a template after the rest', "access: [{ paths: ['/{**}/a/{*}'] }]", 'nothing with a template may follow {**}'],
    ['a rule that allows everything', 'access: [{ methods: [] }]', 'plans[0].access[0]: allows everything'],
    ['SemVer', 'maintenance_info: { version: v1 }', '"v1" is not allowed here; write a semantic version'],
    ['a delay of nothing', 'training: [{ operation: bind, behaviour: delay }]', 'plans[0].training[0]: delays by nothing'],
    [
      'a long maintenance text',
      `maintenance_info: { version: 1.0.0, description: '${'ä'.repeat(1901)}' }`,
      'is 1901 characters long; shorten it to at most 1900',
    ],
  ])('%s', async (_name, lines, expected) => {
    const problems = await lintPlan(`${lines}\n`);
    expect(problems.join('\n')).toContain(expected);
  });
  test.each([
    [
      'a short host',
      ['orders.shop.svc.cluster.local', 'orders.shop'],
      '"orders.shop" is a short name; write orders.shop.svc.cluster.local',
    ],
    ['another namespace', ['orders.shop.svc.cluster.local', 'orders.web.svc.cluster.local'], 'is of namespace web and the service of shop'],
    ['an address', ['[orders.shop.svc.cluster.local]', "['10.0.0.1']"], '"10.0.0.1" is an address'],
    ['a subset where there is none', [/ {2}subsets:\n.*\n.*\n/, ''], 'the service has no subset "v1"; add service.subsets'],
    ['off-mesh to TCP', ['protocol: HTTP', 'protocol: TCP'], 'the gateway reaches HTTP, HTTP2 and GRPC ports only'],
    ['routes on TCP', ['protocol: HTTP', 'protocol: TCP'], 'the service has only TCP and TLS ports'],
    [
      'many tags',
      ['service:', `tags: [${Array.from({ length: 9 }, (_, index) => `${index}${'x'.repeat(250)}`).join(', ')}]\nservice:`],
      'tags: 2259 characters together',
    ],
    ['metadata with a key of its own', ['service:', 'metadata: { extra: { displayName: x } }\nservice:'], 'write metadata.display_name'],
    [
      'metadata that clients stumble over',
      ['service:', 'metadata: { extra: { listing: { a: b } } }\nservice:'],
      'clients stumble over a mapping here',
    ],
  ] as const)('%s', async (_name, [from, to], expected) => {
    const routes = '    consumers: [sidecar, off-mesh]\n    routes: [{ name: a, split: [{ subset: v1, weight: 100 }] }]\n';
    expect((await lintText((head + planHead + routes).replace(from, to))).join('\n')).toContain(expected);
  });
  test('the life of the issuing certificate is a setting', async () => {
    const plan = 'consumers: [off-mesh]\nbinding_validity: 12h\n';
    expect(await lintPlan(plan)).toEqual([]);
    expect((await lintPlan(plan, { issuingLifeSeconds: 86_399 })).join()).toContain('write 11h or less');
  });
  test('a training plan is a note, unless training is on', async () => {
    const plan = 'training: [{ operation: bind, behaviour: fail }]\n';
    expect((await lintPlan(plan)).join()).toContain('note: plans[0]: a training plan, and not on the shelf; set MESHBROKER_TRAINING=true');
    expect(await lintPlan(plan, { training: true })).toEqual([]);
  });
});

describe('parameters', () => {
  const schema = (text: string, of = 'provision'): string => `parameters:\n  ${of}:\n${text.replaceAll(/^(?=.)/gm, '    ')}\n`;
  test.each([
    [
      'another draft',
      schema("$schema: 'https://json-schema.org/draft/2020-12/schema'\ntype: object"),
      'not every platform takes this dialect; write http://json-schema.org/draft-04/schema#',
    ],
    [
      'a numeric exclusiveMinimum',
      schema('type: object\nproperties: { n: { type: integer, exclusiveMinimum: 0 } }'),
      'plans[0].parameters.provision.properties.n.exclusiveMinimum: must be boolean; write exclusiveMinimum: true beside minimum',
    ],
    ['const', schema('type: object\nproperties: { n: { const: 1 } }'), 'draft-04 ignores const; write enum with one value'],
    [
      'a reference to elsewhere',
      schema("type: object\nproperties: { n: { $ref: 'https://example.com/n.json' } }"),
      'leaves the schema; copy what it names into definitions',
    ],
    ['a reference to nothing', schema("type: object\nproperties: { n: { $ref: '#/definitions/n' } }"), '"#/definitions/n" names nothing'],
    ['a bad pattern', schema("type: object\nproperties: { n: { type: string, pattern: '(' } }"), 'is no regular expression'],
    [
      'parameters that are no object',
      schema('type: string'),
      'plans[0].parameters.provision.type: has the wrong value; write type: object, because parameters are always an object',
    ],
    [
      'a consumer of its own',
      schema('type: object\nproperties: { consumer: { type: string } }', 'bind'),
      'plans[0].parameters.bind.properties.consumer: is added by the broker',
    ],
    [
      'a bind that requires',
      schema('type: object\nrequired: [a]\nproperties: { a: { type: string } }', 'bind'),
      'a bind without parameters is refused',
    ],
    [
      'a bind that requires in a roundabout way',
      schema('type: object\nanyOf: [{ required: [a] }]\nproperties: { a: { type: string } }', 'bind'),
      'a bind without parameters is refused',
    ],
    ['a huge schema', schema(`type: object\ndescription: '${'x'.repeat(66_000)}'`), 'shorten it to at most 65536'],
  ])('%s', async (_name, lines, expected) => {
    expect((await lintPlan(lines)).join('\n')).toContain(expected);
  });
  test('a good one is taken: definitions, references and words that are no keywords', async () => {
    const good =
      "type: object\nproperties: { if: { $ref: '#/definitions/n' }, pattern: { type: string } }\ndefinitions: { n: { type: integer, minimum: 0, exclusiveMinimum: true } }";
    expect(await lintPlan(schema(good))).toEqual([]);
  });
});

describe('the directory', () => {
  test('several offerings in a file are told by their own lines', async () => {
    const second = (head + planHead).replaceAll('5b4a', '6b4a').replace('name: orders', 'name: Second');
    expect(await lintText(`${head}${planHead}---\n# the second\n${second}`)).toEqual([
      expect.stringContaining('orders.yaml:20:7: error: name: "Second" is not allowed here'),
    ]);
  });
  test('names and ids are taken once over all files', async () => {
    await write('a.yaml', head + planHead);
    await write('b.yaml', (head + planHead).replace(/id: .*/, 'id: another').replace('name: orders', 'name: others'));
    await write('c.yaml', (head + planHead).replaceAll('5b4a', '6b4a'));
    expect(await lint()).toEqual([
      'b.yaml:14:9: error: plans[0].id: the id "5b4a0c52-7a6e-4f8f-8a51-0d3f6a4c1e02" is already taken by the offering at a.yaml:2; choose another one',
      'c.yaml:2:7: error: name: the name "orders" is already taken by the offering at a.yaml:2; choose another one',
    ]);
  });
  test('descriptions are read, and kept within the directory', async () => {
    const api = (file: string, kind = 'openapi'): string => `${head}apis: [{ name: a, kind: ${kind}, file: ${file} }]\n${planHead}`;
    expect((await lintText(api('apis/a.yaml'))).join()).toContain(
      'orders.yaml:13:40: error: apis[0].file: apis/a.yaml cannot be read (ENOENT)',
    );
    await write('apis/a.yaml', 'swagger: "2.0"\n');
    expect((await lint()).join()).toContain('has no key openapi at its top');
    await write('apis/a.yaml', 'openapi: 3.0.3\n');
    expect(await lint()).toEqual([]);
    await symlink('/etc/hostname', join(directory, 'outside.proto'));
    expect((await lintText(api('outside.proto', 'grpc'))).join()).toContain('is a link that leaves the catalogue');
  });
  test.each([
    ['an empty file', '', 'the file holds no offering'],
    ['a file of comments', '# nothing\n---\n', 'the file holds no offering'],
    ['a file that is not UTF-8', Buffer.from([0x6e, 0xff, 0xfe]), 'the file is not UTF-8'],
  ])('%s is told', async (_name, content, expected) => {
    await writeFile(join(directory, 'orders.yaml'), content);
    expect((await lint()).join()).toContain(`orders.yaml:1:1: error: ${expected}`);
  });
  test('a directory without offerings, or none at all, is told', async () => {
    expect((await lint()).join()).toContain('holds no offering file');
    await rm(directory, { recursive: true });
    expect((await lint()).join()).toContain('cannot be read (ENOENT); create it, or correct MESHBROKER_CATALOG');
  });
});
