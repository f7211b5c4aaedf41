import { MeshRefusal } from './mesh-refusal.ts';

const spiffeId = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)+$/;
const dots = /(^|\/)\.{1,2}(\/|$)/;

/**
 * The form in which AuthorizationPolicy names a caller. Istio reads a leading or trailing `*` as a pattern and an empty text as
 * anybody: only a whole SPIFFE ID passes, so that a source always means exactly one caller.
 */
export function principalName(id: string): string {
  const name = id.slice('spiffe://'.length);
  if (!spiffeId.test(id) || dots.test(name) || id.length > 2048) {
    throw new MeshRefusal(
      `principal ${JSON.stringify(id)} is no SPIFFE ID: write spiffe://<trust domain>/ns/<namespace>/sa/<service account>`,
    );
  }
  return name;
}
/** Full SPIFFE ID of a workload of the mesh. */
export const workloadId = (trustDomain: string, namespace: string, serviceAccount: string): string =>
  `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
/** Of an offering's `existing_callers`: `ns/<namespace>/sa/<service account>` is of the mesh's own trust domain. */
export const callerPrincipal = (trustDomain: string, caller: string): string =>
  principalName(`spiffe://${trustDomainOf(caller) === undefined ? `${trustDomain}/` : ''}${caller}`);
/** undefined: the mesh's own. */
const trustDomainOf = (caller: string): string | undefined => (caller.split('/').length > 4 ? caller.split('/', 1)[0] : undefined);
/** Of one of `existing_callers` that is of another mesh: its trust domain. */
export function foreignTrustDomain(caller: string, trustDomain: string): string | undefined {
  const domain = trustDomainOf(caller);
  return domain === trustDomain ? undefined : domain;
}
export const workloadPrincipal = (trustDomain: string, namespace: string, serviceAccount: string): string =>
  principalName(workloadId(trustDomain, namespace, serviceAccount));
