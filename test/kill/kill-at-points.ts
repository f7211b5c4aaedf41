import { expect } from 'vitest';
import type { PointName } from '../../src/kernel/points.ts';
import type { Ids, OsbClient, Settled } from '../support/osb-client.ts';
import { pause } from './broker-process.ts';
import { killLab, type KillLab } from './kill-lab.ts';

export type Action = 'provision' | 'update' | 'bind' | 'rotate' | 'unbind' | 'deprovision';
/** The points that each action passes (docs/architecture.md, "Crash points"); one that it no longer passes fails the suite. */
export const passed: Readonly<Record<Action, readonly PointName[]>> = {
  provision: ['C1', 'C2', 'C3', 'C4', 'W1', 'W2', 'W6', 'W7', 'W8', 'W9', 'W10', 'W11', 'G1', 'G2', 'G3', 'C5'],
  update: ['C2', 'C3', 'W1', 'W2', 'W6', 'W7', 'W8', 'W9', 'W10', 'W11', 'G1', 'G2', 'G3'],
  bind: ['C2', 'C3', 'C4', 'W1', 'W3', 'W4', 'W5', 'W6', 'W7', 'W8', 'W9', 'W10', 'W11', 'G1', 'G2', 'G3'],
  rotate: ['C2', 'C3', 'C4', 'W1', 'W3', 'W4', 'W5', 'R7', 'W6', 'W7', 'W8', 'W9', 'W10', 'W11', 'G1', 'G2', 'G3'],
  unbind: ['C2', 'C3', 'C4', 'W1', 'W2', 'D1', 'D2', 'W7', 'W8', 'D3', 'D4', 'W9', 'W10', 'W11', 'G1', 'G2', 'G3'],
  deprovision: ['C2', 'C3', 'C4', 'W1', 'D1', 'D2', 'W7', 'W8', 'D3', 'D4', 'W9', 'W10', 'W11', 'G1', 'G2', 'G3'],
};
const asynchronous = ['reviews', 'metered'] as const;
const other = ['reviews', 'canary'] as const;
const consumer = { consumer: { kind: 'off-mesh' } };
interface Case {
  readonly prepare: (client: OsbClient, ids: Ids, name: string) => Promise<void>;
  readonly act: (client: OsbClient, ids: Ids, name: string) => Promise<Settled>;
  /** What a platform must see at the end. */
  readonly check: (client: OsbClient, ids: Ids, name: string) => Promise<void>;
}
const instanceStatus = async (client: OsbClient, name: string): Promise<number> => (await client.get(client.instancePath(name))).status;
const bindingStatus = async (client: OsbClient, name: string, binding: string): Promise<number> =>
  (await client.get(client.bindingPath(name, binding))).status;
const provisioned = async (client: OsbClient, ids: Ids, name: string): Promise<void> => {
  expect(await client.provision(name, ids)).toMatchObject({ state: 'succeeded' });
};
const bound = async (client: OsbClient, ids: Ids, name: string): Promise<void> => {
  await provisioned(client, ids, name);
  expect(await client.bind(name, `${name}-b`, { ...ids, parameters: consumer })).toMatchObject({ state: 'succeeded' });
};
export const cases: Readonly<Record<Action, Case>> = {
  provision: {
    prepare: () => Promise.resolve(),
    act: (client, ids, name) => client.provision(name, ids),
    check: async (client, _, name) => expect(await instanceStatus(client, name)).toBe(200),
  },
  update: {
    prepare: bound,
    act: async (client, ids, name) =>
      client.update(name, { service_id: ids.service_id, plan_id: (await client.planIds(...other)).plan_id }),
    check: async (client, _, name) => {
      const fetched = await client.get(client.instancePath(name));
      expect(fetched.body['plan_id']).toBe((await client.planIds(...other)).plan_id);
    },
  },
  bind: {
    prepare: provisioned,
    act: (client, ids, name) => client.bind(name, `${name}-b`, { ...ids, parameters: consumer }),
    check: async (client, _, name) => expect(await bindingStatus(client, name, `${name}-b`)).toBe(200),
  },
  rotate: {
    prepare: bound,
    act: (client, _, name) => client.bind(name, `${name}-c`, { predecessor_binding_id: `${name}-b` }),
    check: async (client, _, name) => {
      expect(await bindingStatus(client, name, `${name}-b`)).toBe(200);
      expect(await bindingStatus(client, name, `${name}-c`)).toBe(200);
    },
  },
  unbind: {
    prepare: bound,
    act: (client, ids, name) => client.unbind(name, `${name}-b`, ids),
    check: async (client, _, name) => expect(await bindingStatus(client, name, `${name}-b`)).toBe(404),
  },
  deprovision: {
    prepare: bound,
    act: (client, ids, name) => client.deprovision(name, ids),
    check: async (client, _, name) => expect(await instanceStatus(client, name)).toBe(404),
  },
};

/** Kills a real process at the point during the action, starts another, repeats the request as a platform does, and checks everything. */
export async function killAt(action: Action, point: PointName): Promise<void> {
  const lab = await killLab();
  try {
    await killIn(lab, action, point, `${action}-${point}`);
  } finally {
    await lab.close();
  }
}
async function killIn(lab: KillLab, action: Action, point: PointName, name: string): Promise<void> {
  const { prepare, act, check } = cases[action];
  const calm = await lab.start();
  const ids = await lab.client(calm).planIds(...asynchronous);
  await prepare(lab.client(calm), ids, name);
  calm.kill('SIGTERM');
  await calm.gone;

  const doomed = await lab.start(`${point}:1`);
  const answer = await act(lab.client(doomed), ids, name).catch(() => undefined);
  const ended = await Promise.race([doomed.gone, pause(10_000)]);
  expect(ended, `${action} does not pass ${point}:\n${doomed.output().slice(-2_000)}`).toBe('SIGKILL');

  const next = await lab.start();
  const client = lab.client(next);
  const again = await act(client, ids, name);
  const repeatedDelete = (action === 'unbind' || action === 'deprovision') && again.status === 410;
  expect(repeatedDelete || again.state === 'succeeded', `${action} after ${point}: ${JSON.stringify({ answer, again })}`).toBe(true);
  await lab.expectConverged();
  await check(client, ids, name);
  next.kill('SIGTERM');
  expect(await next.gone).toBe(0);
}
