import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { headersOf } from './catalog-http.ts';
import { startChild, type BenchServer } from './child.ts';
import { alternate, type Figure } from './figure.ts';
import { benchHome } from './home.ts';
import { requestsPerSecond } from './load.ts';

const rounds = 5;
const seconds = 3;
const bookinfo = new URL('../examples/bookinfo/', import.meta.url).pathname;

/** The same rows in six statements, prepared: what a careful program would do in one transaction. */
const sixStatements = `\\set n random(1, 1000000000)
begin;
select 1 from bench_instance where id = :n;
insert into bench_instance (id, body) values (:n, repeat('x', 400)) on conflict do nothing;
insert into bench_operation (id, body) values (:n, repeat('x', 200)) on conflict do nothing;
insert into bench_audit (body) values (repeat('x', 200));
commit;
`;
const tables = `create table if not exists bench_instance (id bigint primary key, body text);
  create table if not exists bench_operation (id bigint primary key, body text);
  create table if not exists bench_audit (id bigint generated always as identity primary key, body text)`;

/** Durable PUTs answered 202 over HTTP, operations held back, of pgbench's six-statement transaction on the same server. */
export async function benchWrites(): Promise<readonly Figure[]> {
  const directory = await benchHome();
  const broker = await startChild('server.ts', join(directory, 'data'), bookinfo);
  try {
    const pgbench = await pgbenchOn(broker, directory);
    const plan = await planOf(broker);
    const provision = (connections: number) => (): Promise<number> => provisions(broker, plan, connections);
    return [
      await alternate('provision.c8', 'PUTs/s', rounds, provision(8), () => pgbench(8)),
      await alternate('provision.c32', 'PUTs/s', rounds, provision(32), () => pgbench(32)),
      await alternate(
        'bind.c32',
        'PUTs/s (half provisions, half binds)',
        rounds,
        () => mixed(broker, plan),
        () => pgbench(32),
      ),
    ];
  } finally {
    await broker.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Plan {
  readonly service_id: string;
  readonly plan_id: string;
}
async function planOf(broker: BenchServer): Promise<Plan> {
  const response = await fetch(`${broker.url}/v2/catalog`, { headers: headersOf(broker) });
  const { services } = (await response.json()) as { services: { id: string; name: string; plans: { id: string; name: string }[] }[] };
  const reviews = services.find(({ name }) => name === 'reviews');
  const metered = reviews?.plans.find(({ name }) => name === 'metered');
  return { service_id: reviews?.id ?? '', plan_id: metered?.id ?? '' };
}
let made = 0;
function provisions(broker: BenchServer, plan: Plan, connections: number): Promise<number> {
  const body = JSON.stringify({
    ...plan,
    organization_guid: 'org',
    space_guid: 'space',
    context: { platform: 'kubernetes', namespace: 'web' },
  });
  const next = (): { path: string; body: string } => ({ path: `/v2/service_instances/bench-${(made += 1)}?accepts_incomplete=true`, body });
  return requestsPerSecond({ url: broker.url, headers: jsonHeaders(broker), method: 'PUT', connections, seconds, next, expected: 202 });
}
const jsonHeaders = (broker: BenchServer): Record<string, string> => ({ ...headersOf(broker), 'content-type': 'application/json' });

/** As many provisions as binds: binds go to instances that the round provisioned and an untimed statement made ready. */
async function mixed(broker: BenchServer, plan: Plan): Promise<number> {
  const provisionRate = await provisions(broker, plan, 32);
  const instances = await madeReady(broker);
  let at = 0;
  const body = JSON.stringify({ ...plan, parameters: { consumer: { kind: 'sidecar', namespace: 'web', service_account: 'frontend' } } });
  const next = (): { path: string; body: string } => {
    const instance = instances[at % instances.length] ?? '';
    at += 1;
    return { path: `/v2/service_instances/${instance}/service_bindings/${instance}-${at}?accepts_incomplete=true`, body };
  };
  const headers = jsonHeaders(broker);
  const bindRate = await requestsPerSecond({ url: broker.url, headers, method: 'PUT', connections: 32, seconds, next, expected: 202 });
  return 2 / (1 / provisionRate + 1 / bindRate);
}
/** The instances whose operations are held back. */
async function madeReady({ database }: BenchServer): Promise<readonly string[]> {
  const client = new pg.Client(database);
  await client.connect();
  await client.query(`update operation set state = 'succeeded', finished_at = now() where state = 'pending'`);
  const { rows } = await client.query<{ instance_id: string }>(
    `update service_instance set state = 'ready' where state = 'provisioning' returning instance_id`,
  );
  await client.end();
  return rows.map((row) => row.instance_id);
}

async function pgbenchOn(broker: BenchServer, directory: string): Promise<(clients: number) => Promise<number>> {
  const client = new pg.Client(broker.database);
  await client.connect();
  await client.query(tables);
  await client.end();
  const script = join(directory, 'six.sql');
  await writeFile(script, sixStatements.replaceAll('\\\\', '\\'));
  const { hostname, username, pathname } = new URL(broker.database);
  const run = promisify(execFile);
  return async (clients) => {
    const words = [
      '-h',
      decodeURIComponent(hostname),
      '-U',
      username,
      '-n',
      '-M',
      'prepared',
      '-c',
      String(clients),
      '-j',
      '1',
      '-T',
      String(seconds),
      '-f',
      script,
      pathname.slice(1),
    ];
    const { stdout } = await run('pgbench', words);
    return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
  };
}
