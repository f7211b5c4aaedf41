import type { Catalog } from '../catalog/catalog-port.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import type { MeshExposure } from '../mesh/exposure-port.ts';
import { publishStep, publishUndone, verifyStep, type Subject } from '../operations/mesh-steps.ts';
import type { Operation } from '../operations/operation.ts';
import type { Recipe, Step } from '../operations/step.ts';
import { trainingStep, type TrainedBehaviour } from '../operations/training.ts';
import type { AttributionStore, SpanStore } from '../usage/attribution.ts';
import type { InstanceStore } from './instance-store.ts';
import type { ServiceInstance } from './instance.ts';
import { guardOf } from './snapshot.ts';
import type { UpdateInput } from './update-instance.ts';

/** What the finishing transactions of instances need. */
export interface InstanceRecipeStores {
  readonly instances: InstanceStore;
  readonly attribution: AttributionStore;
  readonly spans: SpanStore;
}
export interface InstanceRecipeDeps {
  readonly catalog: Catalog;
  readonly instances: InstanceStore;
  readonly mesh: MeshExposure;
  /** Ends the identities of a binding; from the bindings room. */
  readonly retireIdentity: (bindingRef: string) => Promise<void>;
  /** Gives the usage room the binding's attribution under the instance's present plan; from the bindings room. */
  readonly reattribute: (stores: InstanceRecipeStores, bindingRef: string) => Promise<void>;
}
type InstanceRecipe = Recipe<InstanceRecipeStores>;
interface Input {
  readonly trained?: TrainedBehaviour | null;
  readonly synchronous?: boolean;
  readonly stateBefore?: 'ready' | 'failed';
}
const trainedOf = (operation: Operation): TrainedBehaviour | null => (operation.input as Input).trained ?? null;
/** A refused synchronous request leaves nothing behind (GEN-02), not even a failed instance. */
const stateAfterFailure = (operation: Operation): 'gone' | 'failed' =>
  (operation.input as Input).synchronous === true ? 'gone' : 'failed';

export function provisionRecipe(deps: InstanceRecipeDeps): InstanceRecipe {
  return {
    undoable: true,
    steps: (operation) => [
      trainingStep(trainedOf(operation)),
      guardStep(deps, operation.resourceId),
      publishStep(deps.mesh, subjectOf(deps, operation)),
      verifyStep(() => guardIsThere(deps, operation.resourceId)),
    ],
    async succeeded({ instances, spans }, operation) {
      const instance = await present(instances, operation.resourceId);
      await instances.setState(instance.uuid, 'ready');
      await spans.openInstance(await spanOf(instances, instance));
    },
    failed: ({ instances }, operation) => instances.setState(operation.resourceId, stateAfterFailure(operation)),
  };
}

/** The guard is shared and stays: a failed or ended instance never opens a service, so there is nothing to undo. */
const guardStep = (deps: InstanceRecipeDeps, uuid: string): Step => ({
  name: 'guard',
  async run({ fence }) {
    const instance = await present(deps.instances, uuid);
    const offering = deps.catalog.offeringById(instance.serviceId);
    if (offering === undefined) throw new BrokerError('unavailable', 'the offering is not loaded yet');
    await deps.mesh.guard(fence, guardOf(offering));
  },
});

const guardIsThere = async (deps: InstanceRecipeDeps, uuid: string): Promise<boolean> =>
  deps.mesh.verifyGuard((await present(deps.instances, uuid)).serviceId);

export function updateRecipe(deps: InstanceRecipeDeps): InstanceRecipe {
  return {
    undoable: true,
    steps(operation) {
      const { previous, desired } = operation.input as unknown as UpdateInput;
      const uuid = operation.resourceId;
      const subject = subjectOf(deps, operation);
      const training = trainingStep(trainedOf(operation));
      const record: Step = {
        name: 'record',
        run: ({ fence }) => deps.instances.change(uuid, desired, fence),
      };
      if (previous.snapshotHash === desired.snapshotHash)
        return [training, withUndo(record, ({ fence }) => deps.instances.change(uuid, previous, fence))];
      const reroute: Step = {
        name: 'reroute',
        run: async ({ fence }) => refreshAll(deps, uuid, fence),
        async undo({ fence }) {
          await deps.instances.change(uuid, previous, fence);
          await refreshAll(deps, uuid, fence);
        },
      };
      const refs = async (): Promise<readonly string[]> =>
        (await deps.instances.liveBindings(uuid)).filter(({ exposure }) => exposure !== 'hidden').map(({ ref }) => ref);
      return [
        publishUndone(deps.mesh, subject),
        training,
        guardStep(deps, uuid),
        record,
        reroute,
        publishStep(deps.mesh, subject),
        verifyStep(async () => (await guardIsThere(deps, uuid)) && (await deps.mesh.verify(await refs()))),
      ];
    },
    async succeeded(stores, operation) {
      const { previous, desired } = operation.input as unknown as UpdateInput;
      await stores.instances.setState(operation.resourceId, 'ready');
      if (previous.planId === desired.planId) return;
      const instance = await present(stores.instances, operation.resourceId);
      await stores.spans.openInstance(await spanOf(stores.instances, instance));
      for (const { ref } of await stores.instances.liveBindings(instance.uuid)) await deps.reattribute(stores, ref);
    },
    failed: ({ instances }, operation) => instances.setState(operation.resourceId, 'ready'),
  };
}
const withUndo = (step: Step, undo: NonNullable<Step['undo']>): Step => ({ ...step, undo });

async function refreshAll(deps: InstanceRecipeDeps, uuid: string, fence: { operationId: string; epoch: number }): Promise<void> {
  for (const { ref, exposure } of await deps.instances.liveBindings(uuid)) {
    if (exposure !== 'hidden') await deps.mesh.refresh(fence, ref);
  }
}

export function deprovisionRecipe(deps: InstanceRecipeDeps): InstanceRecipe {
  return {
    undoable: false,
    steps(operation) {
      const uuid = operation.resourceId;
      const refs = async (): Promise<readonly string[]> => (await deps.instances.liveBindings(uuid)).map(({ ref }) => ref);
      const takeBack = (name: string, exposure: 'routed' | 'hidden'): Step => ({
        name,
        async run({ fence }) {
          await point('D1');
          for (const binding of await deps.instances.liveBindings(uuid)) {
            // Hidden again too: what a killed worker or a failed read-back left is written then.
            if (binding.exposure === 'granted' || exposure === 'hidden') {
              await deps.mesh.expose(fence, binding.ref, exposure);
            }
          }
        },
      });
      const retire: Step = {
        name: 'retire identities',
        async run() {
          await point('D3');
          for (const ref of await refs()) await deps.retireIdentity(ref);
          await point('D4');
        },
      };
      return [
        trainingStep(trainedOf(operation)),
        takeBack('withdraw grants', 'routed'),
        takeBack('remove routes', 'hidden'),
        publishStep(deps.mesh, subjectOf(deps, operation)),
        verifyStep(async () => deps.mesh.verify(await refs())),
        retire,
      ];
    },
    async succeeded({ instances, attribution, spans }, operation) {
      const instance = await present(instances, operation.resourceId);
      for (const { ref } of await instances.liveBindings(instance.uuid)) {
        await attribution.close(ref);
        await spans.closeBinding(ref);
      }
      await instances.markBindingsGone(instance.uuid);
      await spans.closeInstance(instance.ref);
      await instances.setState(instance.uuid, 'gone');
    },
    /** Only a training plan gets here: nothing was taken back yet. */
    failed: async ({ instances }, operation) => {
      await instances.reopenBindings(operation.resourceId);
      await instances.setState(operation.resourceId, (operation.input as Input).stateBefore ?? 'ready');
    },
  };
}

const subjectOf =
  (deps: InstanceRecipeDeps, { kind, resourceId }: Operation): Subject =>
  async () => {
    const { ref, offeringName } = await present(deps.instances, resourceId);
    return `${kind} ${ref}: ${offeringName}`;
  };

async function present(instances: InstanceStore, uuid: string): Promise<ServiceInstance> {
  const instance = await instances.byUuid(uuid);
  if (instance === undefined) throw new Error(`instance ${uuid} has no row`);
  return instance;
}
async function spanOf(instances: InstanceStore, instance: ServiceInstance): Promise<Parameters<SpanStore['openInstance']>[0]> {
  const snapshot = await instances.snapshot(instance.snapshotHash);
  return {
    instanceRef: instance.ref,
    platformId: instance.platformId,
    organization: instance.organizationGuid,
    offeringId: instance.serviceId,
    offeringName: instance.offeringName,
    planId: instance.planId,
    planName: snapshot?.planName ?? instance.planId,
  };
}
