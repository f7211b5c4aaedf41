import { sha256Hex } from '../kernel/ids.ts';
import { unreachable } from '../kernel/unreachable.ts';
import type { Contribution, Exposure } from './contribution.ts';
import { gatewayHosts } from './hosts.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { gatewayVerdictScope, verdictScope, verdictShards } from './scope.ts';

export interface ContributionScopes {
  /** Written at `routed`. */
  readonly routes: readonly string[];
  /** Written at `granted`, after the routes. */
  readonly grant: readonly string[];
}
/** All grants of one principal are in one list, so that at most one list has a verdict for a request. */
export const verdictShard = (principal: string): string => verdictShards[Number.parseInt(sha256Hex(principal).slice(0, 1), 16)] ?? '00';

/** The scopes that a contribution is a member of. Pure. */
export function scopesOf(contribution: Contribution, settings: MeshSettings): ContributionScopes {
  const { bindingRef, consumer, principal, snapshot } = contribution;
  const { service, offeringId } = snapshot;
  const hostRoutes = service.hosts.map((host) => `routes/${consumer.namespace}/${host}`);
  const verdict = service.grantForm === 'verdict';
  const ownPolicy = [`grant/${bindingRef}`];
  const inMeshGrant = verdict ? [verdictScope(offeringId, verdictShard(principal))] : ownPolicy;
  switch (consumer.kind) {
    case 'sidecar':
      return { routes: hostRoutes, grant: inMeshGrant };
    case 'vm':
      return { routes: [`workload/${bindingRef}`, ...hostRoutes], grant: inMeshGrant };
    case 'ambient':
      return { routes: [`ambient/${bindingRef}`], grant: ownPolicy };
    case 'off-mesh':
      return {
        routes: [
          ...service.hosts.slice(0, 1).map((host) => `gateway-destinations/${host}`),
          ...gatewayHosts(contribution, settings).map(({ host }) => `gateway-routes/${host}`),
        ],
        grant: verdict ? [gatewayVerdictScope(verdictShard(principal))] : ownPolicy,
      };
    default:
      return unreachable(consumer.kind);
  }
}
/** The scopes of a contribution at an exposure. */
export function scopesAt(contribution: Contribution, exposure: Exposure, settings: MeshSettings): readonly string[] {
  if (exposure === 'hidden') return [];
  const { routes, grant } = scopesOf(contribution, settings);
  return exposure === 'routed' ? routes : [...routes, ...grant];
}
