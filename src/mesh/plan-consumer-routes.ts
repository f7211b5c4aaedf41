import type { Contribution } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject } from './object-kinds.ts';
import { derivedName, fingerprint, ofBindings } from './object-metadata.ts';
import { composedRoutes } from './plan-virtual-service.ts';
import { labelsKey } from './route-fragment.ts';
import { agreedPolicy, allPorts, allSubsets, serverTls } from './traffic-policy.ts';

/**
 * Routes of the consumers of one namespace to one host, in that namespace and visible there only: Istio reads the client's namespace
 * first, so consumers of two namespaces never meet. DestinationRules before the routes that name their subsets.
 */
export function planConsumerRoutes(
  namespace: string,
  host: string,
  members: readonly Contribution[],
  settings: MeshSettings,
): readonly MeshObject[] {
  if (members.length === 0) return [];
  const name = derivedName('routes', namespace, host);
  const claims = members.map(({ bindingRef, consumer, snapshot }) => ({
    bindingRef,
    labels: consumer.workloadLabels,
    traffic: snapshot.traffic,
  }));
  const place = {
    destinationHost: host,
    subsetName: (_: string, subset: string | null): string | undefined => subset ?? undefined,
    sourceLabels: true,
    defaultRoute: true,
  };
  const routes = composedRoutes({ ports: allPorts(members) }, claims, place, host);
  return [
    ...destinationRules(namespace, host, name, members, settings),
    meshObject('VirtualService', namespace, name, ofBindings(members, settings), { hosts: [host], exportTo: ['.'], ...routes }),
  ];
}
/** One per workload: with a `workloadSelector` it counts for that workload before the one without. */
function destinationRules(
  namespace: string,
  host: string,
  name: string,
  members: readonly Contribution[],
  settings: MeshSettings,
): readonly MeshObject[] {
  const byWorkload = new Map<string, Contribution[]>();
  for (const member of members) {
    const key = labelsKey(member.consumer.workloadLabels);
    byWorkload.set(key, [...(byWorkload.get(key) ?? []), member]);
  }
  const subsets = allSubsets(members).map((subset) => ({ name: subset.name, labels: { ...subset.labels } }));
  return [...byWorkload]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, ofWorkload]) => {
      const first = ofWorkload[0];
      if (first === undefined) return [];
      const labels = first.consumer.workloadLabels;
      const all = Object.keys(labels).length === 0;
      return meshObject('DestinationRule', namespace, all ? name : `${name}-${fingerprint(key)}`, ofBindings(ofWorkload, settings), {
        host,
        exportTo: ['.'],
        ...(all ? {} : { workloadSelector: { matchLabels: { ...labels } } }),
        trafficPolicy: { tls: serverTls(first.snapshot.service, settings), ...agreedPolicy(ofWorkload) },
        ...(subsets.length === 0 ? {} : { subsets }),
      });
    });
}
