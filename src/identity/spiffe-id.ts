import { BrokerError } from '../kernel/errors.ts';

/**
 * A SPIFFE ID taken apart (SPIFFE-ID standard, sections 2.1–2.4). Made only by this file, so that issuing and comparing share one grammar.
 * The grammar admits one spelling per ID: `parseSpiffeId` and `formatSpiffeId` are inverse, and equal text is the only equality.
 */
export interface SpiffeId {
  readonly trustDomain: string;
  /** Empty: the ID of the trust domain itself (signing certificates only). */
  readonly path: readonly string[];
}
const scheme = 'spiffe://';
const longestIdBytes = 2048;
const trustDomainGrammar = /^[a-z0-9._-]{1,255}$/;
const segmentGrammar = /^[A-Za-z0-9._-]+$/;
/** Kubernetes names in our own IDs: DNS labels and subdomains, so that `/ns/<a>/sa/<b>` has one reading only. */
const nameGrammar = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

export const isTrustDomain = (text: string): boolean => trustDomainGrammar.test(text);
const isSegment = (text: string): boolean => segmentGrammar.test(text) && text !== '.' && text !== '..';

/** undefined: not a SPIFFE ID. Refuses what the standard refuses: other case, port, user, percent, empty or dotted segments, query, fragment. */
export function readSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > longestIdBytes || !text.startsWith(scheme)) return undefined;
  const [trustDomain = '', ...path] = text.slice(scheme.length).split('/');
  return isTrustDomain(trustDomain) && path.every(isSegment) ? { trustDomain, path } : undefined;
}
/** As readSpiffeId; BrokerError `bad-request` naming `field` when the text is no SPIFFE ID. */
export function parseSpiffeId(text: string, field = 'spiffe_id'): SpiffeId {
  const id = readSpiffeId(text);
  if (id === undefined) throw notSpiffe(field);
  return id;
}
/** Inverse of parseSpiffeId. BrokerError `bad-request` when a part is outside the grammar. */
export function formatSpiffeId(trustDomain: string, path: readonly string[]): string {
  const text = [scheme + trustDomain, ...path].join('/');
  if (readSpiffeId(text)?.path.length !== path.length) throw notSpiffe('spiffe_id');
  return text;
}
const notSpiffe = (field: string): BrokerError =>
  new BrokerError(
    'bad-request',
    `${field} is not a SPIFFE ID: write spiffe://<trust domain>/<segment>/…, the trust domain of a-z 0-9 . _ -, segments of A-Z a-z 0-9 . _ -, at most ${longestIdBytes} bytes`,
    { field },
  );

function identity(trustDomain: string, namespace: string, serviceAccount: string): string {
  if (!isTrustDomain(trustDomain)) {
    throw new BrokerError('bad-request', `trust_domain must consist of a-z 0-9 . _ - and have 1 to 255 bytes`, { field: 'trust_domain' });
  }
  refuseOtherNames('namespace', namespace);
  refuseOtherNames('service_account', serviceAccount);
  return formatSpiffeId(trustDomain, ['ns', namespace, 'sa', serviceAccount]);
}
function refuseOtherNames(field: string, name: string): void {
  if (nameGrammar.test(name)) return;
  throw new BrokerError(
    'bad-request',
    `${field} must be a Kubernetes name: a-z 0-9 . and -, starting and ending with a letter or digit, at most 253 bytes`,
    {
      field,
    },
  );
}
/** The identity that a workload of the mesh already has (Istio's shape). Injective. BrokerError `bad-request` names the part that is no Kubernetes name. */
export const adoptedId = (trustDomain: string, namespace: string, serviceAccount: string): string =>
  identity(trustDomain, namespace, serviceAccount);
/** The identity that we issue: `scope` groups a consumer's bindings, `bindingRef` is the binding's reference. Same shape as Istio's, other trust domain. Injective. */
export const bindingId = (bindingTrustDomain: string, scope: string, bindingRef: string): string =>
  identity(bindingTrustDomain, scope, bindingRef);

/** Istio's spelling in policies and logs: the ID without `spiffe://`. */
export function principalOf(id: string): string {
  parseSpiffeId(id);
  return id.slice(scheme.length);
}
