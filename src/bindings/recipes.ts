import type { BindingCertificates } from '../identity/identity-port.ts';
import type { InstanceStore } from '../instances/instance-store.ts';
import { point } from '../kernel/points.ts';
import type { Transact } from '../kernel/transact.ts';
import type { Contribution } from '../mesh/contribution.ts';
import { loggedHosts } from '../mesh/endpoints.ts';
import type { MeshExposure } from '../mesh/exposure-port.ts';
import type { MeshSettings } from '../mesh/mesh-settings.ts';
import { publishStep, publishUndone, verifyStep, type Subject } from '../operations/mesh-steps.ts';
import type { Operation } from '../operations/operation.ts';
import type { Recipe, Step } from '../operations/step.ts';
import { trainingStep, type TrainedBehaviour } from '../operations/training.ts';
import type { Attribution, AttributionStore, SpanStore } from '../usage/attribution.ts';
import type { BindingStore } from './binding-store.ts';
import type { BindingState, ServiceBinding } from './binding.ts';

export interface BindingRecipeStores {
  readonly bindings: BindingStore;
  readonly instances: InstanceStore;
  readonly attribution: AttributionStore;
  readonly spans: SpanStore;
}
export interface BindingRecipeDeps {
  readonly stores: Pick<BindingRecipeStores, 'bindings' | 'instances'>;
  readonly transact: Transact<BindingRecipeStores>;
  readonly mesh: MeshExposure;
  readonly certificates: BindingCertificates;
  readonly settings: MeshSettings;
}
type BindingRecipe = Recipe<BindingRecipeStores>;
interface Input {
  readonly trained?: TrainedBehaviour | null;
  readonly synchronous?: boolean;
  readonly stateBefore?: BindingState;
}
const inputOf = (operation: Operation): Input => operation.input;

/** Order of exposure: identity, routes, meter, grant last; the guard is there since the provision. Undone in reverse: grant first. */
export function bindRecipe(deps: BindingRecipeDeps): BindingRecipe {
  return {
    undoable: true,
    steps(operation) {
      const uuid = operation.resourceId;
      const subject = subjectOf(deps, operation);
      return [
        publishUndone(deps.mesh, subject),
        trainingStep(inputOf(operation).trained ?? null),
        identityStep(deps, uuid),
        {
          name: 'routes',
          async run({ fence }) {
            const { ref, exposure } = await present(deps.stores.bindings, uuid);
            // After a crash behind the grant: what is granted is routed, and is not taken back for a moment.
            if (exposure !== 'granted') await deps.mesh.expose(fence, ref, 'routed');
          },
          undo: async ({ fence }) => deps.mesh.expose(fence, (await present(deps.stores.bindings, uuid)).ref, 'hidden'),
        },
        meterStep(deps, uuid),
        {
          name: 'grant',
          run: async ({ fence }) => deps.mesh.expose(fence, (await present(deps.stores.bindings, uuid)).ref, 'granted'),
          undo: async ({ fence }) => withdraw(deps, fence, uuid),
        },
        publishStep(deps.mesh, subject),
        verifyStep(async () => deps.mesh.verify([(await present(deps.stores.bindings, uuid)).ref])),
      ];
    },
    async succeeded({ bindings, instances, spans }, operation) {
      const binding = await present(bindings, operation.resourceId);
      await bindings.begin(binding.uuid);
      await spans.openBinding(await attributionOf(instances, binding, deps.settings));
    },
    failed: ({ bindings }, operation) =>
      bindings.setState(operation.resourceId, inputOf(operation).synchronous === true ? 'gone' : 'failed'),
  };
}

const identityStep = (deps: BindingRecipeDeps, uuid: string): Step => ({
  name: 'identity',
  async run() {
    const binding = await present(deps.stores.bindings, uuid);
    if (binding.credentialKind !== 'x509-svid' || binding.lifeSeconds === null) return;
    const { ref: bindingRef, principal: spiffeId, csrPem, lifeSeconds } = binding;
    const { notAfter } = await deps.certificates.issue({ bindingRef, spiffeId, csrPem, lifeSeconds });
    await deps.stores.bindings.bound(uuid, notAfter);
    if (binding.predecessorBindingId !== null) await point('R7');
  },
  undo: async () => deps.certificates.retire((await present(deps.stores.bindings, uuid)).ref),
});

const meterStep = (deps: BindingRecipeDeps, uuid: string): Step => ({
  name: 'meter',
  run: () =>
    deps.transact(async ({ bindings, instances, attribution }) => {
      await attribution.open(await attributionOf(instances, await present(bindings, uuid), deps.settings));
    }),
  undo: () => deps.transact(async ({ bindings, attribution }) => attribution.close((await present(bindings, uuid)).ref)),
});

async function withdraw(deps: BindingRecipeDeps, fence: { operationId: string; epoch: number }, uuid: string): Promise<void> {
  const binding = await present(deps.stores.bindings, uuid);
  if (binding.exposure === 'granted') await deps.mesh.expose(fence, binding.ref, 'routed');
}

/** Grant first, then routes, then the identity: nothing is ever answered gone before no proxy lets the principal in. */
const takeBackSteps = (deps: BindingRecipeDeps, operation: Operation): readonly Step[] => {
  const uuid = operation.resourceId;
  return [
    trainingStep(inputOf(operation).trained ?? null),
    {
      name: 'withdraw grant',
      async run({ fence }) {
        await point('D1');
        await withdraw(deps, fence, uuid);
      },
    },
    {
      name: 'remove routes',
      async run({ fence }) {
        await point('D2');
        await deps.mesh.expose(fence, (await present(deps.stores.bindings, uuid)).ref, 'hidden');
      },
    },
    publishStep(deps.mesh, subjectOf(deps, operation)),
    verifyStep(async () => deps.mesh.verify([(await present(deps.stores.bindings, uuid)).ref])),
    {
      name: 'retire identity',
      async run() {
        await point('D3');
        await deps.certificates.retire((await present(deps.stores.bindings, uuid)).ref);
        await point('D4');
      },
    },
  ];
};
const takeBack = (deps: BindingRecipeDeps, end: BindingState): BindingRecipe => ({
  undoable: false,
  steps: (operation) => takeBackSteps(deps, operation),
  async succeeded({ bindings, attribution, spans }, operation) {
    const { ref, uuid } = await present(bindings, operation.resourceId);
    await attribution.close(ref);
    await spans.closeBinding(ref);
    await bindings.setState(uuid, end);
  },
  /** Only a training plan gets here: nothing was taken back yet. */
  failed: ({ bindings }, operation) => bindings.setState(operation.resourceId, inputOf(operation).stateBefore ?? 'ready'),
});
export const unbindRecipe = (deps: BindingRecipeDeps): BindingRecipe => takeBack(deps, 'gone');
/** At expires_at the grant is withdrawn; the binding stays until it is unbound. */
export const expireRecipe = (deps: BindingRecipeDeps): BindingRecipe => takeBack(deps, 'expired');

const subjectOf =
  (deps: BindingRecipeDeps, { kind, resourceId }: Operation): Subject =>
  async () => {
    const { ref, consumerName, instanceUuid } = await present(deps.stores.bindings, resourceId);
    const instance = await deps.stores.instances.byUuid(instanceUuid);
    return `${kind} ${ref}: ${instance?.offeringName ?? ''} for ${consumerName}`;
  };

async function present(bindings: BindingStore, uuid: string): Promise<ServiceBinding> {
  const binding = await bindings.byUuid(uuid);
  if (binding === undefined) throw new Error(`binding ${uuid} has no row`);
  return binding;
}

/** Who may be calling, for the usage room: under the instance's present plan. */
export async function attributionOf(instances: InstanceStore, binding: ServiceBinding, settings: MeshSettings): Promise<Attribution> {
  const instance = await instances.byUuid(binding.instanceUuid);
  const snapshot = instance === undefined ? undefined : await instances.snapshot(instance.snapshotHash);
  if (instance === undefined || snapshot === undefined) throw new Error(`binding ${binding.uuid} has no instance`);
  return {
    bindingRef: binding.ref,
    lineageId: binding.lineageId,
    instanceRef: instance.ref,
    platformId: binding.platformId,
    organization: instance.organizationGuid,
    offeringId: snapshot.offeringId,
    offeringName: snapshot.offeringName,
    planId: snapshot.planId,
    planName: snapshot.planName,
    consumer: binding.consumerName,
    principal: binding.principal,
    hosts: hostsOf({ ...binding, bindingRef: binding.ref, instanceRef: instance.ref, instanceId: instance.instanceId, snapshot }, settings),
  };
}

/** The service's own names, and those of this binding that access logs may show: at the gateway or a waypoint it has its own. */
function hostsOf(contribution: Contribution, settings: MeshSettings): readonly string[] {
  const logged = loggedHosts(contribution, settings).map((host) => host.replace(/:\d+$/, ''));
  return [...new Set([...contribution.snapshot.service.hosts, ...logged])];
}
