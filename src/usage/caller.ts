/** Who an event says was calling whom, in one form for all ways to write it. */
export interface Caller {
  /** SPIFFE ID; '': not known. */
  readonly principal: string;
  /** The binding that a policy, verdict or subject names; '': none. */
  readonly bindingRef: string;
  /** Lower case, without port; '': not known. */
  readonly host: string;
}
const binding = /(?:^|[^a-z0-9-])(mb-[a-z2-7]{20})(?![a-z0-9-])/;

/** The binding in a verdict (`mb-….<plan tag>`) or in the name of the policy that let the request in (`ns[shop]-policy[mb-…]-rule[0]`). */
export const bindingIn = (policy: string): string => binding.exec(policy)?.[1] ?? '';

/** A Host header holds whatever the caller wrote: what cannot be a host name is not known. */
export function hostOf(authority: string): string {
  const host = authority.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  return /^[a-z0-9_]([a-z0-9._-]{0,252})$/.test(host) ? host : '';
}

/** As certificates have it; AuthorizationPolicy leaves the scheme out. undefined: no principal can look like this. */
export function principalOf(text: string): string | undefined {
  if (text === '' || text === '-') return '';
  // eslint-disable-next-line no-control-regex -- what a database or a terminal must not see
  if (text.length > 2_048 || /[\u0000-\u0020\u007f]/.test(text) || !text.isWellFormed()) return undefined;
  return /^[a-z0-9.-]+\/ns\//.test(text) ? `spiffe://${text}` : text;
}
