import { BrokerError, type ErrorContext } from '../kernel/errors.ts';
import type { Contribution, PlanSnapshot } from './contribution.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { planConsumerRoutes } from './plan-consumer-routes.ts';
import { planGatewayRoutes } from './plan-gateway-routes.ts';
import { conflictFix, RouteConflict } from './route-conflict.ts';
import { parseScope } from './scope.ts';
import type { Neighbour, ScopeStore } from './scope-store.ts';
import { scopesOf } from './scopes-of.ts';
import { trafficPolicy } from './traffic-policy.ts';

/** A binding that is about to be accepted. */
export interface BindCandidate extends Omit<Contribution, 'exposure'> {
  readonly platformId: string;
}
/** An instance that is about to change its plan. */
export interface UpdateCandidate {
  readonly instanceUuid: string;
  readonly platformId: string;
  readonly snapshot: PlanSnapshot;
}
/**
 * Tells conflicts of routes before a request is accepted, with all that is in the mesh by then; two requests at the same time are told
 * apart when their routes are written. BrokerError `route-conflict`, which names both bindings, their plans and the fix. Writes nothing.
 */
export interface RouteCheck {
  /** One indexed query; for a plan without routes and connection policy at most one a second for each host and namespace. */
  bind(candidate: BindCandidate): Promise<void>;
  update(candidate: UpdateCandidate): Promise<void>;
  /** The members of these scopes have changed. */
  readonly changed: (scopes: readonly string[]) => void;
}
/** Where it may meet bindings whose routes differ: not at a host of its own. */
const meetingPlaces = (contribution: Contribution, settings: MeshSettings): readonly string[] =>
  scopesOf(contribution, settings).routes.filter(
    (scope) => ['routes', 'gateway-routes'].includes(parseScope(scope).kind) && !scope.includes(contribution.bindingRef),
  );
const isPlain = ({ traffic }: PlanSnapshot): boolean => traffic.routes.length === 0 && Object.keys(trafficPolicy(traffic)).length === 0;

export function routeCheck(scopes: Pick<ScopeStore, 'neighbours' | 'exposedOf'>, settings: MeshSettings): RouteCheck {
  const { recent, changed } = recentNeighbours(scopes);
  return {
    async bind({ platformId, ...rest }) {
      const contribution: Contribution = { ...rest, exposure: 'routed' };
      const places = meetingPlaces(contribution, settings);
      if (places.length === 0) return;
      const found = await (isPlain(rest.snapshot) ? recent(places) : scopes.neighbours(places, null));
      refuse(
        places.map((scope) => ({ scope, platformId, contribution })),
        found,
        platformId,
        settings,
        {},
      );
    },
    async update({ instanceUuid, platformId, snapshot }) {
      const own = (await scopes.exposedOf(instanceUuid)).flatMap((each): readonly Neighbour[] => {
        const contribution = { ...each, snapshot };
        return meetingPlaces(contribution, settings).map((scope) => ({ scope, platformId, contribution }));
      });
      if (own.length === 0) return;
      const found = await scopes.neighbours([...new Set(own.map(({ scope }) => scope))], instanceUuid);
      refuse(own, found, platformId, settings, { updateRepeatable: true, instanceUsable: true });
    },
    changed,
  };
}
/** How long what other replicas have changed may be overlooked for plans without routes. */
const freshMs = 1_000;
const keptPlaces = 1_000;
interface Recent {
  readonly at: number;
  readonly found: readonly Neighbour[];
}
/** Plans without routes are checked at little cost: who was there a moment ago. */
function recentNeighbours(scopes: Pick<ScopeStore, 'neighbours'>): {
  readonly recent: (places: readonly string[]) => Promise<readonly Neighbour[]>;
  readonly changed: (places: readonly string[]) => void;
} {
  const kept = new Map<string, Recent>();
  let changes = 0;
  return {
    async recent(places) {
      const key = places.join(' ');
      const known = kept.get(key);
      if (known !== undefined && performance.now() - known.at < freshMs) return known.found;
      const before = { at: performance.now(), changes };
      const found = await scopes.neighbours(places, null);
      if (before.changes === changes) {
        if (kept.size >= keptPlaces) kept.clear();
        kept.set(key, { at: before.at, found });
      }
      return found;
    },
    changed(places) {
      changes += 1;
      const names = new Set(places);
      for (const key of kept.keys()) if (key.split(' ').some((place) => names.has(place))) kept.delete(key);
    },
  };
}
/** Composes each place as the write would. `own` comes first in the sentence. */
function refuse(
  own: readonly Neighbour[],
  found: readonly Neighbour[],
  platformId: string,
  settings: MeshSettings,
  context: ErrorContext,
): void {
  for (const place of new Set(own.map(({ scope }) => scope))) {
    const here = [...own, ...found].filter(({ scope }) => scope === place);
    if (here.length === 1) continue;
    const conflict = conflictAt(
      place,
      here.map(({ contribution }) => contribution),
      settings,
    );
    if (conflict === undefined) continue;
    const [one, other] = here
      .filter(({ contribution }) => conflict.between.includes(contribution.bindingRef))
      .map((each) => inWords(each, platformId));
    throw new BrokerError(
      'route-conflict',
      `${one ?? ''} and ${other ?? ''} are of one workload and want different ${conflict.about}: ${conflictFix}`,
      context,
    );
  }
}
function conflictAt(scope: string, members: readonly Contribution[], settings: MeshSettings): RouteConflict | undefined {
  const place = parseScope(scope);
  const inOrder = [...members].sort((a, b) => (a.bindingRef < b.bindingRef ? -1 : 1));
  try {
    if (place.kind === 'routes') planConsumerRoutes(place.namespace, place.host, inOrder, settings);
    if (place.kind === 'gateway-routes') planGatewayRoutes(place.host, inOrder, settings);
    return undefined;
  } catch (error) {
    if (error instanceof RouteConflict) return error;
    throw error;
  }
}
/** Ids of another platform are not told. */
function inWords({ platformId, contribution: { bindingId, snapshot } }: Neighbour, teller: string): string {
  const which = platformId === teller ? `binding ${JSON.stringify(bindingId)}` : 'a binding of another platform';
  return `${which} (plan "${snapshot.planName}" of ${snapshot.offeringName})`;
}
