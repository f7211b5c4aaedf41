import type { CredentialKind, Plan } from '../catalog/offering.ts';
import type { BindingCertificates } from '../identity/identity-port.ts';

/** How long a new binding lives, in seconds; null: until unbind. A certificate bounds it to half the issuing certificate's life. */
export async function lifeOf(plan: Plan, kind: CredentialKind, certificates: BindingCertificates): Promise<number | null> {
  const wanted = plan.bindingValiditySeconds;
  if (kind === 'mesh-identity') return wanted;
  const longest = await certificates.longestLifeSeconds();
  return Math.floor(wanted === null ? longest : Math.min(wanted, longest));
}
