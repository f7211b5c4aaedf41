import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { headersOf } from './catalog-http.ts';
import { startChild } from './child.ts';
import { alternate, figureOf, type Figure, type Round } from './figure.ts';
import { benchHome } from './home.ts';

const rounds = 5;
const bookinfo = new URL('../examples/bookinfo/', import.meta.url).pathname;
const run = promisify(execFile);

/** From the commit of an accepted operation to its first step, and operations a second from accepted to succeeded. */
export async function benchOperations(): Promise<readonly Figure[]> {
  const directory = await benchHome();
  try {
    return [...(await memory(directory)), await gitops(directory)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function memory(directory: string): Promise<readonly Figure[]> {
  const broker = await startChild('server.ts', join(directory, 'memory'), bookinfo, '--run');
  const client = new pg.Client(broker.database);
  await client.connect();
  try {
    await order(broker, 'warm', 20, 1);
    const starts: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await order(broker, `start-${round}`, 40, 1);
      const { rows } = await client.query<{ ms: number }>(
        `select percentile_cont(0.5) within group (order by extract(epoch from o.started_at - o.created_at) * 1000)::float8 as ms
           from operation o join service_instance i on i.id::text = o.resource_id where i.instance_id like $1`,
        [`start-${round}-%`],
      );
      starts.push({ value: rows[0]?.ms ?? 0, ceiling: 0 });
    }
    const drains: Round[] = [];
    for (let round = 0; round < rounds; round += 1) drains.push({ value: await order(broker, `drain-${round}`, 400, 16), ceiling: 0 });
    return [figureOf('operation.start', 'ms (p50)', starts), figureOf('operations.drain', 'operations/s (memory)', drains)];
  } finally {
    await client.end();
    await broker.stop();
  }
}

async function gitops(directory: string): Promise<Figure> {
  const broker = await startChild('server.ts', join(directory, 'gitops'), bookinfo, '--run', 'gitops');
  const bare = join(directory, 'bare');
  await mkdir(bare);
  await run('git', ['init', '-q', bare]);
  let n = 0;
  const commits = async (): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < 40; i += 1) {
      await writeFile(join(bare, `file-${(n += 1)}.yaml`), 'x: 1\n');
      await run('git', ['-C', bare, 'add', '-A']);
      await run('git', ['-C', bare, '-c', 'user.name=b', '-c', 'user.email=b@localhost', 'commit', '-q', '-m', 'bench']);
    }
    return 40_000 / (performance.now() - start);
  };
  try {
    await order(broker, 'warm', 5, 1);
    return await alternate(
      'operations.drain.gitops',
      'operations/s (of git add + commit)',
      rounds,
      () => order(broker, `g-${(n += 1)}`, 40, 8),
      commits,
    );
  } finally {
    await broker.stop();
  }
}

/** Provisions that many, so many at once, and waits until all have succeeded. */
async function order(broker: Parameters<typeof headersOf>[0], name: string, count: number, atOnce: number): Promise<number> {
  const headers = { ...headersOf(broker), 'content-type': 'application/json' };
  const { services } = (await (await fetch(`${broker.url}/v2/catalog`, { headers })).json()) as {
    services: { id: string; name: string; plans: { id: string; name: string }[] }[];
  };
  const reviews = services.find((each) => each.name === 'reviews');
  const body = JSON.stringify({
    service_id: reviews?.id,
    plan_id: reviews?.plans.find((each) => each.name === 'metered')?.id,
    organization_guid: 'o',
    space_guid: 's',
  });
  const client = new pg.Client(broker.database);
  await client.connect();
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const id = `${name}-${(next += 1)}`;
      const response = await fetch(`${broker.url}/v2/service_instances/${id}?accepts_incomplete=true`, { method: 'PUT', headers, body });
      if (response.status !== 202) throw new Error(`${id} was answered ${response.status}: ${await response.text()}`);
      await response.arrayBuffer();
      if (atOnce === 1) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (;;) {
    const { rows } = await client.query<{ left: number }>(
      `select count(*)::int as left from operation where state not in ('succeeded', 'failed')`,
    );
    if (rows[0]?.left === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await client.end();
  return (count * 1_000) / (performance.now() - start);
}
