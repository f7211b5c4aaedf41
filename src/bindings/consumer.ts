import { mayBindFor, type PlatformPrincipal } from '../access/principal.ts';
import type { CredentialKind, Plan } from '../catalog/offering.ts';
import { adoptedId, bindingId } from '../identity/spiffe-id.ts';
import { BrokerError } from '../kernel/errors.ts';
import { reference } from '../kernel/ids.ts';
import { isJsonObject, type JsonObject } from '../kernel/json.ts';
import type { Consumer, ConsumerKind } from '../mesh/consumer.ts';

export interface ConsumerQuestion {
  readonly platform: PlatformPrincipal;
  readonly organizationGuid: string;
  readonly plan: Plan;
  readonly parameters: JsonObject;
  readonly context: JsonObject;
  readonly bindResource: JsonObject;
  readonly bindingRef: string;
  readonly trustDomain: string;
  readonly bindingTrustDomain: string;
  /** Of the mesh: nobody's own. */
  readonly rootNamespace: string | undefined;
}
export interface ResolvedConsumer {
  readonly consumer: Consumer;
  readonly consumerName: string;
  readonly principal: string;
  readonly credentialKind: CredentialKind;
}
/** Namespaces of the mesh and of Kubernetes: objects there have mesh-wide effect. */
const reserved: ReadonlySet<string> = new Set(['istio-system', 'kube-system', 'kube-public', 'kube-node-lease']);

/**
 * Who will call: `parameters.consumer`, else by context: Kubernetes → a workload of the context's namespace with service account
 * `default`; else off-mesh. BrokerError bad-request (field and fix) or forbidden (namespace not granted to the platform).
 */
export function resolveConsumer(question: ConsumerQuestion): ResolvedConsumer {
  const asked = askedOf(question.parameters);
  const kind = kindOf(question, asked);
  return kind === 'off-mesh' ? offMesh(question, asked) : inMesh(question, asked, kind);
}

const askedOf = ({ consumer }: JsonObject): JsonObject => (isJsonObject(consumer) ? consumer : {});
/** As asked for or by the context; not checked against the plan. */
export function wantedKind(parameters: JsonObject, context: JsonObject): unknown {
  const asked = askedOf(parameters);
  return asked['kind'] ?? (context['platform'] === 'kubernetes' || asked['namespace'] !== undefined ? 'sidecar' : 'off-mesh');
}

function kindOf({ plan, parameters, context }: ConsumerQuestion, asked: JsonObject): ConsumerKind {
  const wanted = wantedKind(parameters, context);
  const kind = plan.consumerKinds.find((candidate) => candidate === wanted);
  if (kind !== undefined) return kind;
  const fix = `this plan takes ${plan.consumerKinds.join(', ')}: set parameters.consumer.kind to one of these, or choose another plan`;
  const why =
    asked['kind'] === undefined
      ? `the request's context makes the consumer ${JSON.stringify(wanted)}`
      : `${JSON.stringify(wanted)} is not possible here`;
  throw new BrokerError('bad-request', `parameters.consumer.kind: ${why}; ${fix}`, { field: 'parameters.consumer.kind' });
}

function inMesh(question: ConsumerQuestion, asked: JsonObject, kind: Exclude<ConsumerKind, 'off-mesh'>): ResolvedConsumer {
  const { platform, plan, context, trustDomain, rootNamespace } = question;
  if (!plan.credentials.includes('mesh-identity')) {
    throw new BrokerError(
      'bad-request',
      'parameters.consumer.kind: this plan gives no mesh identities; bind off-mesh, or choose another plan',
    );
  }
  const namespace = asked['namespace'] ?? context['namespace'];
  if (typeof namespace !== 'string' || namespace === '') {
    throw new BrokerError('bad-request', 'parameters.consumer.namespace: name the Kubernetes namespace of the workload that will call', {
      field: 'parameters.consumer.namespace',
    });
  }
  checkLabel('parameters.consumer.namespace', namespace);
  if (reserved.has(namespace) || namespace === rootNamespace) {
    throw new BrokerError(
      'forbidden',
      `parameters.consumer.namespace: "${namespace}" belongs to the mesh or to Kubernetes itself; use a namespace of your own`,
      { namespace },
    );
  }
  if (!mayBindFor(platform, namespace)) {
    throw new BrokerError(
      'forbidden',
      `parameters.consumer.namespace: this platform may not bind for namespace "${namespace}"; ask the operator to grant it`,
      { namespace },
    );
  }
  const serviceAccount = typeof asked['service_account'] === 'string' ? asked['service_account'] : 'default';
  checkLabel('parameters.consumer.service_account', serviceAccount);
  const workloadLabels = isJsonObject(asked['workload_labels']) ? asked['workload_labels'] : {};
  return {
    consumer: { kind, namespace, serviceAccount, workloadLabels: textLabels(workloadLabels) },
    consumerName: `${namespace}/${serviceAccount}`,
    principal: adoptedId(trustDomain, namespace, serviceAccount),
    credentialKind: 'mesh-identity',
  };
}

function offMesh(question: ConsumerQuestion, asked: JsonObject): ResolvedConsumer {
  const { platform, organizationGuid, plan, bindResource, bindingRef, bindingTrustDomain } = question;
  if (!plan.credentials.includes('x509-svid')) {
    throw new BrokerError(
      'bad-request',
      'parameters.consumer.kind: this plan gives no certificates; bind a workload of the mesh, or choose another plan',
    );
  }
  for (const field of ['namespace', 'service_account', 'workload_labels']) {
    if (asked[field] !== undefined) {
      throw new BrokerError('bad-request', `parameters.consumer.${field}: an off-mesh consumer has none; leave it out`, {
        field: `parameters.consumer.${field}`,
      });
    }
  }
  const scope = `org-${reference('scope', platform.platformId, organizationGuid).slice('mb-'.length)}`;
  const app = bindResource['app_guid'];
  return {
    consumer: { kind: 'off-mesh', namespace: scope, serviceAccount: bindingRef, workloadLabels: {} },
    consumerName: `off-mesh/${typeof app === 'string' && app !== '' ? app : bindingRef}`,
    principal: bindingId(bindingTrustDomain, scope, bindingRef),
    credentialKind: 'x509-svid',
  };
}

function checkLabel(field: string, value: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value)) return;
  throw new BrokerError(
    'bad-request',
    `${field}: "${value.slice(0, 80)}" is not a Kubernetes name: use 1 to 63 of a-z, 0-9 and "-", not at the ends`,
    { field },
  );
}
const textLabels = (labels: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
