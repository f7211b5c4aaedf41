import { describe, expect, test } from 'vitest';
import { aContribution, aRule, aTraffic, meshSettings, type ContributionParts } from '../../test/support/mesh-contributions.ts';
import { routeCheck, type BindCandidate, type RouteCheck } from './route-check.ts';
import type { Neighbour } from './scope-store.ts';

const host = 'routes/web/orders.shop.svc.cluster.local';
const slow = aTraffic('slow', { routes: [aRule({ timeout: '9s' })] });
const fast = aTraffic('fast', { routes: [aRule({ timeout: '1s' })] });
const plain = aTraffic('plain');

/** A check over these neighbours that counts its queries. */
function checkOver(neighbours: readonly Neighbour[]): RouteCheck & { queries: number } {
  const check = {
    queries: 0,
    ...routeCheck(
      {
        neighbours: (scopes) => {
          check.queries += 1;
          return Promise.resolve(neighbours.filter(({ scope }) => scopes.includes(scope)));
        },
        exposedOf: () => Promise.resolve([]),
      },
      meshSettings,
    ),
  };
  return check;
}
const neighbour = (parts: ContributionParts): Neighbour => ({ scope: host, platformId: 'p', contribution: aContribution(parts) });
const candidate = (parts: ContributionParts): BindCandidate => ({ ...aContribution(parts), platformId: 'p' });
const bind = async (there: readonly Neighbour[], parts: ContributionParts): Promise<number> => {
  const check = checkOver(there);
  await check.bind(candidate({ binding: 'new', ...parts }));
  return check.queries;
};

describe('a bind', () => {
  test('asks once where its plan has routes, and not at all at hosts of its own', async () => {
    expect(await bind([neighbour({ traffic: slow })], { traffic: slow })).toBe(1);
    expect(await bind([], { traffic: slow, kind: 'ambient' })).toBe(0);
    expect(await bind([], { traffic: slow, kind: 'off-mesh' })).toBe(0);
  });
  test('is refused beside other routes of its workload, not beside those of another workload or a higher priority', async () => {
    await expect(bind([neighbour({ traffic: slow })], { traffic: fast })).rejects.toThrow('"new" (plan "plan-');
    await expect(bind([neighbour({ traffic: slow })], { traffic: plain })).rejects.toMatchObject({ code: 'route-conflict' });
    await bind([neighbour({ traffic: slow, consumer: { workloadLabels: { app: 'nightly' } } })], { traffic: fast });
    await bind([neighbour({ traffic: { ...slow, routePriority: 1 } })], { traffic: fast });
  });
  test('of a plan without routes asks again only after a change', async () => {
    const check = checkOver([]);
    for (let n = 0; n < 20; n += 1) await check.bind(candidate({ binding: `b-${n}`, traffic: plain }));
    expect(check.queries).toBe(1);
    check.changed(['routes/web/elsewhere']);
    await check.bind(candidate({ traffic: plain }));
    expect(check.queries).toBe(1);
    check.changed([host]);
    await check.bind(candidate({ traffic: plain }));
    expect(check.queries).toBe(2);
  });
});
