import { afterEach, beforeEach, expect, test } from 'vitest';
import { lintDirectory, type LintDirectory, planHead, serviceHead, subsets } from '../support/lint-catalog.ts';

let catalog: LintDirectory;
beforeEach(async () => {
  catalog = await lintDirectory();
});
afterEach(() => catalog.remove());
const write: LintDirectory['write'] = (name, text) => catalog.write(name, text);
const lint = (): Promise<string[]> => catalog.lint();
const head = serviceHead + subsets;

test('what is wrong in one place does not hide what is wrong in another', async () => {
  const first = `${head}tags: shop\napis: [{ name: a, kind: openapi, file: apis/none.yaml }]\n${planHead}    routes:
      - { name: a, split: [{ subset: v1, weight: 60 }] }
      - { name: b }
      - { name: c }
  - description: no name
    routes: [{ name: a, split: [{ subset: v1, weight: 60 }] }]
  - { name: standard, description: twice, consumers: [] }
`;
  const second = `${head.replace('5b4a', '6b4a')}${planHead.replace('5b4a', '6b4a').replace('name:', 'nmae:')}`;
  const third = head.replace('name: orders', 'name: others').replace('service:', 'servce:') + planHead.replace('5b4a', '7b4a');
  await write('a.yaml', first);
  await write('b.yaml', second);
  await write('c.yaml', third);
  expect((await lint()).map((line) => line.replace(/^(\w+)\.yaml:\d+:\d+: error: /, '$1 '))).toEqual([
    'a tags: must be a list, and is text; write a list',
    'a apis[0].file: apis/none.yaml cannot be read (ENOENT); correct the file or its name',
    'a plans[0].routes[0].split: the weights add to 60; make them add to 100',
    'a plans[0].routes[1]: is never reached, because a takes its requests; move it up or remove it',
    'a plans[0].routes[2]: is never reached, because a takes its requests; move it up or remove it',
    'a plans[1]: name is missing; add name: Unique within the offering.',
    'a plans[2].name: "standard" is already taken by plans[0]; choose another one',
    'a plans[2].consumers: is empty; write at least one of sidecar, ambient, vm, off-mesh',
    'b name: the name "orders" is already taken by the offering at a.yaml:2; choose another one',
    'b plans[0]: name is missing; add name: Unique within the offering.',
    'b plans[0]: unknown key "nmae"; did you mean name?',
    'c the document: service is missing; add service: The mesh service behind the offering.',
    'c id: the id "5b4a0c52-7a6e-4f8f-8a51-0d3f6a4c1e01" is already taken by the offering at a.yaml:2; choose another one',
    'c the document: unknown key "servce"; did you mean service?',
  ]);
});
test('nothing is told that would be right if what was told before were right', async () => {
  const routes = '    routes: [{ name: a, split: [{ subset: v1, weight: 100 }] }]\n';
  for (const [from, to] of [
    ['protocol: HTTP', 'protocol: HTTPS'],
    ['subsets:', 'subset:'],
    ['number: 8080', 'number: "8080"'],
  ] as const) {
    await write('orders.yaml', (head + planHead + routes).replace(from, to));
    expect(await lint(), to).toHaveLength(1);
  }
});
test.each([
  ['workload_selector: { app: orders }', 'workload_selector: {}', 'write at least one label, such as app: reviews'],
  ['hosts: [orders.shop.svc.cluster.local]', 'hosts: []', 'write at least one full host name, such as reviews.bookinfo.svc.cluster.local'],
  ['ports: [{ name: http, number: 8080, protocol: HTTP }]', 'ports: []', 'write at least one port, such as { name: http,'],
  ['labels: { version: v1 }', 'labels: {}', 'write at least one label, such as app: reviews'],
  ['- { name: v1,', '- {', 'name is missing; add name: An RFC 1123 label.'],
  ['description: The plan.', 'description: ""', 'write something: One sentence for people who choose'],
  ['description: The plan.', 'description: p\n    limits: {}', 'write at least one of requests_per_second, burst, requests_per_month'],
  ['description: The plan.', 'description: p\n    training: []', 'write at least one, such as { operation: bind, behaviour: fail }'],
  [
    'description: The plan.',
    'description: p\n    costs: [{ amount: {}, unit: month }]',
    'write an amount by currency, such as { usd: 0.1 }',
  ],
  ['description: The plan.', 'description: p\n    routes: [{ name: a, fault: {} }]', 'write at least one of delay, abort'],
  ['description: The plan.', 'description: p\n    routes: [{ name: a, split: [] }]', 'write where the requests go, such as { subset: v1'],
  [
    'description: The plan.',
    'description: p\n    routes: [{ name: a, match: { path: {} } }]',
    'write at least one of exact, prefix, regex',
  ],
])('%j is not enough: %j tells its fix', async (from, to, fix) => {
  await write('orders.yaml', (head + planHead).replace(from, to));
  expect((await lint()).join('\n')).toContain(fix);
});
