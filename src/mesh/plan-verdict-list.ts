import type { Contribution } from './contribution.ts';
import { envoy, verdictPrefix, type PatchContext } from './envoy-types.ts';
import { grantedAccess, type HttpAccess } from './granted-access.ts';
import { gatewayHosts, hostNames } from './hosts.ts';
import type { MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject, type ConfigPatch } from './object-kinds.ts';
import { grantName, ofBindings } from './object-metadata.ts';
import { httpListName, tcpListName, type VerdictPlace } from './plan-verdict-hooks.ts';
import { principalName } from './principal-name.ts';
import { allOf, hostIn, methodIn, pathIn, portIn, uriSanInput, type Predicate } from './request-matcher.ts';
import { workloadPort } from './service-ports.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * One of the sixteen lists of a place. It decides nothing: it writes a verdict, `<binding>.<plan tag>`, which the fence asks for.
 * Updated and emptied, never deleted: a running proxy keeps the last list that it saw.
 */
export function planVerdictList(place: VerdictPlace, shard: string, members: readonly Contribution[], settings: MeshSettings): MeshObject {
  const configPatches: ConfigPatch[] = [];
  if (place.hasHttp) configPatches.push(listPatch(place.context, httpListName(place, shard), httpList(members, place, settings)));
  if (place.tcpPorts.length > 0) configPatches.push(listPatch(place.context, tcpListName(place, shard), tcpList(members)));
  return meshObject('EnvoyFilter', place.namespace, `${place.name}-verdicts-${shard}`, ofBindings(members, settings), {
    workloadSelector: { labels: { ...place.selector } },
    priority: 10,
    configPatches,
  });
}
const listPatch = (context: PatchContext, name: string, config: Json): ConfigPatch => ({
  applyTo: 'EXTENSION_CONFIG',
  match: { context },
  patch: { operation: 'ADD', value: { name, typed_config: config } },
});
function byPrincipal(members: readonly Contribution[]): readonly (readonly [string, readonly Contribution[]])[] {
  const groups = new Map<string, Contribution[]>();
  for (const member of members) {
    principalName(member.principal);
    const group = groups.get(member.principal);
    if (group === undefined) groups.set(member.principal, [member]);
    else group.push(member);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
function httpList(members: readonly Contribution[], place: VerdictPlace, settings: MeshSettings): Json {
  const principals: Record<string, unknown> = {};
  for (const [principal, ofPrincipal] of byPrincipal(members)) {
    const matchers = ofPrincipal.flatMap((member) => matchersOf(member, place, settings));
    if (matchers.length > 0) principals[principal] = { matcher: { matcher_list: { matchers } } };
  }
  const base = { '@type': envoy.httpRbac, shadow_rules_stat_prefix: verdictPrefix };
  if (Object.keys(principals).length === 0) return base;
  return { ...base, shadow_matcher: { matcher_tree: { input: uriSanInput, exact_match_map: { map: principals } } } };
}
/** In each way in, the first match names the binding: members come ordered by reference. */
function matchersOf(member: Contribution, place: VerdictPlace, settings: MeshSettings): readonly Json[] {
  const verdict = { name: 'verdict', typed_config: { '@type': envoy.rbacAction, name: grantName(member), action: 'ALLOW' } };
  const { snapshot } = member;
  return grantedAccess(snapshot.service, snapshot.traffic).http.map((access) => ({
    predicate: allOf(place.context === 'GATEWAY' ? atGateway(member, access, settings) : atWorkload(member, access)),
    on_match: { action: verdict },
  }));
}
function atWorkload({ snapshot, consumer }: Contribution, access: HttpAccess): readonly Predicate[] {
  const host = hostIn(
    hostNames(snapshot.service, consumer.namespace),
    access.ports.map((port) => port.number),
  );
  return [...requestPredicates(access), host, portIn([...new Set(access.ports.map(workloadPort))])];
}
function atGateway(member: Contribution, access: HttpAccess, settings: MeshSettings): readonly Predicate[] {
  const hosts = gatewayHosts(member, settings).filter(({ port }) => access.ports.some(({ number }) => number === port.number));
  const host = hostIn(
    hosts.map((each) => each.host),
    [settings.gateway.port],
  );
  return [...requestPredicates(access), host];
}
const requestPredicates = ({ paths, methods }: HttpAccess): readonly Predicate[] => [
  ...(paths.length > 0 ? [pathIn(paths)] : []),
  ...(methods.length > 0 ? [methodIn(methods)] : []),
];
function tcpList(members: readonly Contribution[]): Json {
  const policies: Record<string, unknown> = {};
  for (const member of members) {
    const ports = grantedAccess(member.snapshot.service, member.snapshot.traffic).tcp.map(workloadPort);
    if (ports.length === 0) continue;
    policies[grantName(member)] = {
      permissions: ports.map((port) => ({ destination_port: port })),
      principals: [{ authenticated: { principal_name: { exact: member.principal } } }],
    };
  }
  const base = { '@type': envoy.networkRbac, stat_prefix: 'meshbroker', shadow_rules_stat_prefix: verdictPrefix };
  return Object.keys(policies).length === 0 ? base : { ...base, shadow_rules: { action: 'ALLOW', policies } };
}
