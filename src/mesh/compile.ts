import { unreachable } from '../kernel/unreachable.ts';
import type { Contribution, GuardDefinition } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import { MeshRefusal } from './mesh-refusal.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { planAmbient } from './plan-ambient.ts';
import { planConsumerRoutes } from './plan-consumer-routes.ts';
import { planGateway, gatewayPlace } from './plan-gateway.ts';
import { planGatewayDestinations, planGatewayRoutes } from './plan-gateway-routes.ts';
import { planGrant } from './plan-grant.ts';
import { givesVerdicts, planGuard, workloadPlace } from './plan-guard.ts';
import { planVerdictList } from './plan-verdict-list.ts';
import { planWorkloadGroup } from './plan-workload-group.ts';
import { parseScope, type Scope } from './scope.ts';

export interface ScopeInput {
  /** All contributions that are members, in any order. */
  readonly members: readonly Contribution[];
  /** `guard/…` and `verdicts/…`: the offering's guard, or none; `gateway`: all guards; else not read. */
  readonly guards: readonly GuardDefinition[];
}
/**
 * All objects of a scope, in order of exposure: a pure function of its members and guards, the same bytes whatever their order.
 * Errors: RouteConflict (two bindings want different routes), MeshRefusal (a principal or namespace that is refused).
 */
export function compile(scope: string, input: ScopeInput, settings: MeshSettings): readonly MeshObject[] {
  const members = [...input.members].sort((a, b) => (a.bindingRef < b.bindingRef ? -1 : 1));
  const objects = plan(parseScope(scope), members, input.guards, settings);
  for (const object of objects) refuseRootNamespace(object, settings);
  return objects;
}
function plan(
  scope: Scope,
  members: readonly Contribution[],
  guards: readonly GuardDefinition[],
  settings: MeshSettings,
): readonly MeshObject[] {
  switch (scope.kind) {
    case 'guard':
      return guards.filter((guard) => guard.offeringId === scope.offeringId).flatMap((guard) => planGuard(guard, settings));
    case 'verdicts':
      return guards
        .filter((guard) => guard.offeringId === scope.offeringId && givesVerdicts(guard))
        .map((guard) => planVerdictList(workloadPlace(guard), scope.shard, members, settings));
    case 'gateway':
      return planGateway(guards, settings);
    case 'gateway-verdicts':
      return [planVerdictList(gatewayPlace(settings), scope.shard, members, settings)];
    case 'gateway-destinations':
      return planGatewayDestinations(scope.host, members, settings);
    case 'gateway-routes':
      return planGatewayRoutes(scope.host, members, settings);
    case 'routes':
      return planConsumerRoutes(scope.namespace, scope.host, members, settings);
    case 'ambient':
      return members.flatMap((member) => planAmbient(member, settings));
    case 'workload':
      return members.map((member) => planWorkloadGroup(member, settings));
    case 'grant':
      return members.flatMap((member) => planGrant(member, settings));
    default:
      return unreachable(scope);
  }
}
/** An object in Istio's root namespace would count for the whole mesh. */
function refuseRootNamespace({ kind, metadata }: MeshObject, { rootNamespace = 'istio-system' }: MeshSettings): void {
  if (metadata.namespace !== rootNamespace) return;
  throw new MeshRefusal(`${kind} ${metadata.name} would be in the mesh's root namespace ${rootNamespace}: use another namespace`);
}
