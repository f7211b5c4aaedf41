import { BrokerError } from '../kernel/errors.ts';
import { adoptedId } from '../identity/spiffe-id.ts';
import type { Contribution } from '../mesh/contribution.ts';
import { endpointsOf } from '../mesh/endpoints.ts';
import type { BindingView } from './binding-port.ts';
import type { BindingDeps } from './binding-deps.ts';
import type { ServiceBinding } from './binding.ts';
import { credentialsOf } from './credentials.ts';

type ViewDeps = Pick<BindingDeps, 'stores' | 'certificates' | 'settings' | 'publicUrl' | 'gatewayCaPem'>;

/** What bind and fetch answer: the same bytes each time (BND-04, GBN-04). */
export async function bindingView(deps: ViewDeps, binding: ServiceBinding): Promise<BindingView> {
  const contribution = await contributionOf(deps, binding);
  const { service, traffic } = contribution.snapshot;
  const withCertificate = binding.credentialKind === 'x509-svid';
  const { credentials, endpoints } = credentialsOf({
    bindingRef: binding.ref,
    consumerKind: binding.consumer.kind,
    credentialKind: binding.credentialKind,
    principal: binding.principal,
    serverId: adoptedId(deps.settings.trustDomain, service.namespace, service.serviceAccount),
    endpoints: endpointsOf(contribution, deps.settings),
    traffic,
    issued: withCertificate ? ((await deps.certificates.credentialsOf(binding.ref)) ?? null) : null,
    trustedPem: withCertificate ? (deps.gatewayCaPem ?? (await deps.certificates.trustBundlePem())) : '',
    publicUrl: deps.publicUrl,
    expiresAt: binding.expiresAt,
    renewBefore: binding.renewBefore,
  });
  return {
    credentials,
    endpoints,
    metadata: { expiresAt: binding.expiresAt, renewBefore: binding.renewBefore },
    parameters: Object.keys(binding.parameters).length === 0 ? null : binding.parameters,
  };
}

export async function contributionOf(deps: Pick<BindingDeps, 'stores'>, binding: ServiceBinding): Promise<Contribution> {
  const instance = await deps.stores.instances.byUuid(binding.instanceUuid);
  const snapshot = instance === undefined ? undefined : await deps.stores.instances.snapshot(instance.snapshotHash);
  if (instance === undefined || snapshot === undefined) throw new BrokerError('gone', 'the instance of this binding is gone');
  const { ref: bindingRef, bindingId, principal, consumer, exposure } = binding;
  return { bindingRef, bindingId, principal, consumer, exposure, instanceRef: instance.ref, instanceId: instance.instanceId, snapshot };
}
