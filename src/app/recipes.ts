import { attributionOf, bindRecipe, expireRecipe, unbindRecipe } from '../bindings/recipes.ts';
import type { Catalog } from '../catalog/catalog-port.ts';
import type { BindingCertificates } from '../identity/identity-port.ts';
import { guardReleaseRecipe } from '../instances/guard-release.ts';
import { deprovisionRecipe, provisionRecipe, updateRecipe } from '../instances/recipes.ts';
import type { Transact } from '../kernel/transact.ts';
import type { MeshSettings } from '../mesh/mesh-settings.ts';
import type { MeshExposure } from '../mesh/exposure-port.ts';
import type { Recipes } from '../operations/step.ts';
import type { Stores } from './stores.ts';

export interface RecipeParts {
  readonly catalog: Catalog;
  readonly stores: Stores;
  readonly transact: Transact<Stores>;
  readonly mesh: MeshExposure;
  readonly certificates: BindingCertificates;
  readonly settings: MeshSettings;
}
/** How each kind of operation is done; the rooms that they come from do not know each other's. */
export function recipesOf({ catalog, stores, transact, mesh, certificates, settings }: RecipeParts): Recipes<Stores> {
  const instance = {
    catalog,
    mesh,
    instances: stores.instances,
    retireIdentity: (ref: string) => certificates.retire(ref),
    reattribute: async (
      tx: Pick<Stores, 'instances' | 'attribution' | 'spans'> & Partial<Pick<Stores, 'bindings'>>,
      ref: string,
    ): Promise<void> => {
      const binding = await (tx.bindings ?? stores.bindings).byRef(ref);
      if (binding === undefined) return;
      const attribution = await attributionOf(tx.instances, binding, settings);
      await tx.attribution.open(attribution);
      await tx.spans.openBinding(attribution);
    },
  };
  const binding = { stores, transact, mesh, certificates, settings };
  return {
    provision: provisionRecipe(instance),
    update: updateRecipe(instance),
    deprovision: deprovisionRecipe(instance),
    bind: bindRecipe(binding),
    unbind: unbindRecipe(binding),
    expire: expireRecipe(binding),
    'guard-release': guardReleaseRecipe(mesh),
  };
}
