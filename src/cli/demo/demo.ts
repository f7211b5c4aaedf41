import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../kernel/clock.ts';
import { isJsonObject } from '../../kernel/json.ts';
import { table } from '../table.ts';
import { demoBroker, type DemoBroker } from './demo-broker.ts';
import { DemoClient, type DemoOffering, type DemoPlan } from './demo-client.ts';
import { ownRequest } from './own-request.ts';
import { replay } from './recorded-log.ts';

type Print = (text: string) => void;
interface Scene {
  readonly broker: DemoBroker;
  readonly client: DemoClient;
  readonly print: Print;
  readonly ids: { readonly service_id: string; readonly plan_id: string };
}
const instance = '/service_instances/reviews-for-the-shop';
const inMesh = `${instance}/service_bindings/productpage`;
const offMesh = `${instance}/service_bindings/nightly-report`;

/** The whole story against a throw-away broker: real database, real Git tree, real certificates. */
export async function demo(print: Print): Promise<void> {
  const begin = performance.now();
  const broker = await demoBroker();
  try {
    await story(broker, print);
  } finally {
    await broker.stop();
  }
  print(`\nDone in ${((performance.now() - begin) / 1_000).toFixed(1)} s. Nothing is left; \`npm start\` starts a broker that stays.`);
}

async function story(broker: DemoBroker, print: Print): Promise<void> {
  const client = new DemoClient(broker);
  const plan = await shelf(client, print);
  const scene: Scene = { broker, client, print, ids: { service_id: plan.offering.id, plan_id: plan.plan.id } };
  await order(scene);
  await bindInMesh(scene);
  const principal = await bindOffMesh(scene);
  await whoMayCall(scene);
  await use(scene, principal);
  await unbind(scene);
}

const ruleWidth = 100;
const heading = (print: Print, text: string): void => print(`\n${`── ${text} `.padEnd(ruleWidth, '─')}`);

async function shelf(client: DemoClient, print: Print): Promise<{ offering: DemoOffering; plan: DemoPlan }> {
  heading(print, 'The shelf: GET /v2/catalog');
  const offerings = (await client.osb('GET', '/catalog'))['services'] as readonly DemoOffering[];
  const rows = offerings.flatMap((offering) =>
    offering.plans.map((each, n) => [n === 0 ? offering.name : '', each.name, each.free ? 'free' : 'priced', each.description]),
  );
  print(table(['offering', 'plan', 'price', 'description'], rows));
  const offering = offerings.find(({ name }) => name === 'reviews');
  const plan = offering?.plans.find(({ name }) => name === 'canary');
  if (offering === undefined || plan === undefined) throw new Error('the Bookinfo catalogue has no reviews/canary');
  return { offering, plan };
}

async function order({ client, print, ids, broker }: Scene): Promise<void> {
  heading(print, 'Order reviews on its canary plan: PUT /v2/service_instances/reviews-for-the-shop');
  await client.osb('PUT', instance, { ...ids, organization_guid: 'shop', space_guid: 'production' });
  print('The guard stands: strict mTLS, default deny, and the callers that were there before keep their access.');
  await showFiles(broker, print, /^bookinfo\/(?:peerauthentication|authorizationpolicy)-guard-(?!.*-waypoint-)/);
}

async function bindInMesh({ client, print, ids, broker }: Scene): Promise<void> {
  heading(print, 'Bind productpage, in the mesh: PUT …/service_bindings/productpage');
  print('Its own identity is adopted; nothing secret changes hands. It gets:\n');
  const consumer = {
    kind: 'sidecar',
    namespace: 'bookinfo',
    service_account: 'bookinfo-productpage',
    workload_labels: { app: 'productpage' },
  };
  const { credentials } = await client.osb('PUT', inMesh, { ...ids, parameters: { consumer } });
  print(JSON.stringify(credentials, null, 2));
  await showFiles(broker, print, /virtualservice|destinationrule|verdicts/);
}

async function bindOffMesh({ client, print, ids, broker }: Scene): Promise<string> {
  heading(print, 'Bind a program outside the mesh: PUT …/service_bindings/nightly-report');
  const { command, csr } = await ownRequest();
  print(`It makes its own key, which never leaves it:\n\n  $ ${command}\n\nFor the request it gets a certificate:\n`);
  const { credentials } = await client.osb('PUT', offMesh, { ...ids, parameters: { consumer: { kind: 'off-mesh' }, csr } });
  if (!isJsonObject(credentials)) throw new Error('a binding has credentials');
  const shown = Object.fromEntries(
    Object.entries(credentials).map(([name, value]) => [name, typeof value === 'string' ? firstLine(value) : value]),
  );
  print(JSON.stringify(shown, null, 2));
  await showFiles(broker, print, /virtualservice/);
  return typeof credentials['spiffe-id'] === 'string' ? credentials['spiffe-id'] : '';
}
const firstLine = (text: string): string => (text.includes('\n') ? `${text.split('\n', 1)[0] ?? ''} … ${text.length} characters` : text);

async function whoMayCall({ client, print }: Scene): Promise<void> {
  heading(print, 'Who may now call what: GET /v1/bindings');
  const { items } = (await client.admin('GET', '/bindings')) as { items: readonly Record<string, unknown>[] };
  const text = (value: unknown): string => (typeof value === 'string' ? value : '-');
  const rows = items.map(({ ref, consumer_kind, offering, expires_at, principal }) => [ref, consumer_kind, offering, text(expires_at).slice(0, 10), principal].map(text)); // prettier-ignore
  print(table(['binding', 'kind', 'may call', 'until', 'as'], rows));
}

async function use({ client, print }: Scene, principal: string): Promise<void> {
  heading(print, 'Replay recorded access logs of reviews v1, v2 and v3: POST /v1/usage/events');
  const imported = await replay(principal, systemClock.now(), async (batch) => {
    const receipt = await client.admin('POST', '/usage/events', batch, 'application/cloudevents-batch+json');
    const count = (key: string): number => Number(receipt[key]);
    return { accepted: count('accepted'), duplicate: count('duplicate'), conflict: count('conflict'), rejected: count('rejected') };
  });
  print(table(['log', 'requests', 'accepted', 'duplicate'], imported.map(({ file, requests, accepted, duplicate }) => [file, requests, accepted, duplicate].map(String)))); // prettier-ignore
  heading(print, 'What each consumer used: GET /v1/usage/report');
  const { lines, unattributed } = (await client.admin('GET', '/usage/report?group_by=consumer,offering,plan,meter&window=day')) as {
    lines: readonly Record<string, string>[];
    unattributed: readonly { meter: string; total: string }[];
  };
  const rows = lines
    .filter(({ meter }) => meter?.endsWith('-hours') !== true)
    .map(({ consumer = '', offering = '', plan = '', meter = '', total = '' }) => [consumer, offering, plan === '' ? '-' : plan, meter, total]); // prettier-ignore
  print(table(['consumer', 'offering', 'plan', 'meter', 'total'], rows));
  print(
    `\nNot explained by any binding: ${unattributed.map(({ meter, total }) => `${total} ${meter}`).join(', ')} (a job that nobody bound was refused)`,
  );
}

async function unbind({ client, print, ids, broker }: Scene): Promise<void> {
  heading(print, 'Unbind the program outside: DELETE …/service_bindings/nightly-report');
  await client.osb('DELETE', `${offMesh}?service_id=${ids.service_id}&plan_id=${ids.plan_id}`);
  print(`Committed: ${(await git(broker, 'show', '--stat=120,90', '--format=%s', 'HEAD')).trimEnd()}`);
  print('\nThe grant is gone from the tree; whoever follows it lets this principal in no more.');
}

/** How many objects of which kinds the last commit wrote, and those whose names are `shown`; lists that stand empty are left out. */
async function showFiles(broker: DemoBroker, print: Print, shown: RegExp): Promise<void> {
  const names = (await git(broker, 'show', '--name-only', '--format=', '--diff-filter=AM', 'HEAD'))
    .split('\n')
    .filter((name) => name !== '');
  const files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(broker.tree, name), 'utf8') })));
  print(`\nCommitted to ${broker.tree}: ${kindsOf(files.map(({ text }) => text))}`);
  for (const { name, text } of files.filter((file) => shown.test(file.name)))
    if (!name.includes('verdicts') || text.includes('mb-')) print(`\n# ${name}\n${text.trimEnd()}`);
}
/** `2 EnvoyFilter, 1 VirtualService` */
function kindsOf(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const kind = /^kind: (\w+)$/m.exec(text)?.[1] ?? 'other';
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([kind, count]) => `${count} ${kind}`).join(', ');
}
async function git(broker: DemoBroker, ...words: readonly string[]): Promise<string> {
  return (await promisify(execFile)('git', ['-C', broker.tree, ...words])).stdout;
}
