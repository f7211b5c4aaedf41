import { afterAll, beforeAll, expect, test } from 'vitest';
import { osbClient } from '../support/osb-client.ts';
import { pause, type BrokerProcess } from './broker-process.ts';
import { killLab, type KillLab } from './kill-lab.ts';

let lab: KillLab;
beforeAll(async () => {
  lab = await killLab();
});
afterAll(() => lab.close());

const kills = 30;
const platforms = 6;
interface Acknowledged {
  readonly path: string;
  /** The last thing that was acknowledged of it. */
  wanted: 'there' | 'gone';
}

test('30 random kills under load, two replicas on one database and one tree: nothing acknowledged is lost', async () => {
  const brokers: BrokerProcess[] = [await lab.start(), await lab.start()];
  const first = brokers[0];
  if (first === undefined) throw new Error('two replicas are expected');
  const ids = await lab.client(first).planIds('reviews', 'metered');
  let stop = false;
  const acknowledged: Acknowledged[] = [];
  const load = Promise.all(Array.from({ length: platforms }, (_, n) => platform(n)));

  /** Orders, binds and ends as a platform does: repeats what was not answered, at whichever replica answers. */
  async function platform(n: number): Promise<void> {
    for (let round = 0; !stop; round += 1) {
      const name = `p${n}-${round}`;
      const instance = `/v2/service_instances/${name}`;
      const binding = `${instance}/service_bindings/${name}-b`;
      const query = `service_id=${ids.service_id}&plan_id=${ids.plan_id}`;
      await done(instance, 'PUT', '', { ...ids, organization_guid: 'o', space_guid: 's' }, 'there');
      await done(
        binding,
        'PUT',
        '',
        { ...ids, parameters: { consumer: { kind: 'sidecar', namespace: `team-${n}`, service_account: `sa-${round % 3}` } } },
        'there',
      );
      if (round % 2 === 0) {
        await done(binding, 'DELETE', query, undefined, 'gone');
        await done(instance, 'DELETE', query, undefined, 'gone');
      }
    }
  }
  async function done(path: string, method: string, query: string, body: unknown, wanted: 'there' | 'gone'): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const broker = brokers[attempt % brokers.length];
      try {
        const client = osbClient(broker?.url ?? '', lab.login);
        const first = await client.call(method, `${path}?accepts_incomplete=true${query === '' ? '' : `&${query}`}`, body);
        if (first.status >= 500 || first.status === 422) throw new Error(`answered ${first.status}: ${JSON.stringify(first.body)}`);
        if (method === 'DELETE' && first.status === 410) break;
        const settled = await client.settled(path, first);
        if (settled.state === 'succeeded') break;
        throw new Error(`${method} ${path}: ${JSON.stringify(settled)}`);
      } catch (error) {
        if (attempt > 400) throw error;
        await pause(50);
      }
    }
    const known = acknowledged.find((each) => each.path === path);
    if (known === undefined) acknowledged.push({ path, wanted });
    else known.wanted = wanted;
  }

  for (let kill = 0; kill < kills; kill += 1) {
    await pause(200 + Math.random() * 600);
    const victim = kill % 2;
    brokers[victim]?.kill('SIGKILL');
    await brokers[victim]?.gone;
    brokers[victim] = await lab.start();
  }
  // SIGTERM under load loses nothing either.
  const [, last] = brokers;
  last?.kill('SIGTERM');
  expect(await last?.gone).toBe(0);
  brokers.splice(1, 1);
  stop = true;
  await load;
  await lab.expectConverged();
  const client = lab.client(brokers[0] ?? first);
  for (const { path, wanted } of acknowledged) expect((await client.get(path)).status, path).toBe(wanted === 'there' ? 200 : 404);
  expect(acknowledged.length).toBeGreaterThan(platforms * 2);
  process.stdout.write(`random kills: ${kills}, resources acknowledged: ${acknowledged.length}\n`);
  brokers[0]?.kill('SIGTERM');
}, 600_000);
