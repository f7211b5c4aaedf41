import { accessLogProviderName } from './access-log-format.ts';
import type { GuardDefinition } from './contribution.ts';
import { gatewayWildcard } from './hosts.ts';
import type { MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { meshObject } from './object-kinds.ts';
import { ofBroker } from './object-metadata.ts';
import { grantForms, takes } from './plan-guard.ts';
import { planLimits } from './plan-limits.ts';
import { planFence, planVerdictHooks, type VerdictPlace } from './plan-verdict-hooks.ts';

const name = 'meshbroker';
/** Secret with the bundle of the broker's authorities (`GET /spiffe/bundle`). Istio takes a bundle only from a name that ends so. */
export const clientBundleName = 'meshbroker-clients-cacert';
/** How VirtualServices name the gateway. */
export const gatewayReference = (settings: MeshSettings): string => `${settings.gateway.namespace}/${name}`;

export const gatewayPlace = ({ gateway }: MeshSettings): VerdictPlace => ({
  namespace: gateway.namespace,
  selector: gateway.selector,
  context: 'GATEWAY',
  name,
  hasHttp: true,
  tcpPorts: [],
});
/**
 * The gateway's own guard, shared by all offerings with plans for consumers outside the mesh: default deny, the mesh's own identities
 * refused on this port, limits, telemetry, hooks and fence, and the listener last. Nothing while no offering needs it.
 */
export function planGateway(guards: readonly GuardDefinition[], settings: MeshSettings): readonly MeshObject[] {
  const users = guards.filter((guard) => takes(guard, 'off-mesh')).sort((a, b) => (a.offeringId < b.offeringId ? -1 : 1));
  if (users.length === 0) return [];
  const { gateway } = settings;
  const place = gatewayPlace(settings);
  const ownership = ofBroker(settings);
  const selector = { matchLabels: { ...gateway.selector } };
  const meshIdentities = [{ source: { principals: [`${settings.trustDomain}/*`] } }];
  const forms = [...new Set(users.flatMap(grantForms))].sort();
  return [
    meshObject('AuthorizationPolicy', gateway.namespace, `${name}-mesh-identities`, ownership, {
      selector,
      action: 'DENY',
      rules: [{ from: meshIdentities, to: [{ operation: { ports: [String(gateway.port)] } }] }],
    }),
    meshObject('AuthorizationPolicy', gateway.namespace, `${name}-default-deny`, ownership, { selector, action: 'ALLOW' }),
    meshObject('Telemetry', gateway.namespace, `${name}-usage`, ownership, {
      selector,
      accessLogging: [{ providers: [{ name: accessLogProviderName(settings) }] }],
    }),
    ...gatewayLimits(users, settings),
    ...(forms.includes('verdict') ? [planVerdictHooks(place, ownership), planFence(place, settings.bindingTrustDomain, ownership)] : []),
    listener(settings),
  ];
}
function gatewayLimits(users: readonly GuardDefinition[], settings: MeshSettings): readonly MeshObject[] {
  const { gateway } = settings;
  const plans = users.flatMap((guard) => guard.plans.filter((plan) => plan.consumerKinds.includes('off-mesh')));
  const byTag = new Map(plans.map(({ traffic }) => [traffic.tag, { tag: traffic.tag, limits: traffic.limits }]));
  const forms = [...new Set(users.flatMap(grantForms))].sort();
  const target = { workloadSelector: { labels: { ...gateway.selector } } };
  const object = planLimits(gateway.namespace, `${name}-limits`, ofBroker(settings), target, 'GATEWAY', [...byTag.values()], forms);
  return object === undefined ? [] : [object];
}
/** One server for every host that bindings can have, so that a bind never touches the listener. */
function listener(settings: MeshSettings): MeshObject {
  const { gateway } = settings;
  return meshObject('Gateway', gateway.namespace, name, ofBroker(settings), {
    selector: { ...gateway.selector },
    servers: [
      {
        port: { number: gateway.port, name: 'https-meshbroker', protocol: 'HTTPS' },
        hosts: [`*/${gatewayWildcard(gateway)}`],
        tls: {
          mode: 'MUTUAL',
          credentialName: gateway.credentialName,
          caCertCredentialName: clientBundleName,
          minProtocolVersion: 'TLSV1_2',
        },
      },
    ],
  });
}
