import type { Contribution } from './contribution.ts';
import type { MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject } from './object-kinds.ts';
import { ofBinding } from './object-metadata.ts';

/** What a virtual machine with its own sidecar joins the mesh by: its labels and its service account. */
export function planWorkloadGroup(contribution: Contribution, settings: MeshSettings): MeshObject {
  const { consumer, bindingRef } = contribution;
  return meshObject('WorkloadGroup', consumer.namespace, bindingRef, ofBinding(contribution, settings), {
    metadata: { labels: { ...consumer.workloadLabels, 'meshbroker.dev/binding': bindingRef } },
    template: { serviceAccount: consumer.serviceAccount },
  });
}
