/** A certificate authority of the binding trust domain, as recorded. */
export interface Authority {
  readonly id: string;
  readonly kind: 'root' | 'intermediate';
  readonly trustDomain: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS#8, wrapped by the broker's secret. */
  readonly wrappedKey: Uint8Array;
  /** null: a root. */
  readonly issuerId: string | null;
  readonly notBefore: Date;
  readonly notAfter: Date;
}
/** `active` is the newest of its kind; older ones stay trusted until they end. */
export interface LiveAuthority extends Authority {
  readonly active: boolean;
}
export interface AuthorityLives {
  readonly rootSeconds: number;
  readonly intermediateSeconds: number;
}
/** What is to be made next; `nothing`: the intermediate to sign with. */
export type AuthorityStep =
  | { readonly kind: 'root'; readonly predecessorId: string | null }
  | { readonly kind: 'intermediate'; readonly predecessorId: string | null; readonly root: LiveAuthority }
  | { readonly kind: 'nothing'; readonly issuing: LiveAuthority };

/** Part of its life after which an intermediate is made anew: ahead of half, so that a leaf of half its life always fits. */
const renewedAfter = 0.4;
/** A new root is published this many intermediate lives before the old one ends, and signs only in the last of them: everybody has the bundle by then. */
const rootOverlap = 3;

/** Whole life of a certificate in seconds. */
export const lifeSeconds = ({ notBefore, notAfter }: { notBefore: Date; notAfter: Date }): number =>
  (notAfter.getTime() - notBefore.getTime()) / 1000;

/** Pure. `authorities` are those that have not ended at `now`, oldest first. */
export function nextAuthority(authorities: readonly LiveAuthority[], now: Date, lives: AuthorityLives): AuthorityStep {
  const endsWithin = (authority: Authority, seconds: number): boolean => authority.notAfter.getTime() < now.getTime() + seconds * 1000;
  const roots = authorities.filter((authority) => authority.kind === 'root');
  const newestRoot = roots.at(-1);
  const signingRoot = roots.find((root) => !endsWithin(root, lives.intermediateSeconds));
  if (newestRoot === undefined || signingRoot === undefined || endsWithin(newestRoot, rootOverlap * lives.intermediateSeconds)) {
    return { kind: 'root', predecessorId: roots.find((root) => root.active)?.id ?? null };
  }
  const issuing = authorities.find((authority) => authority.kind === 'intermediate' && authority.active);
  if (issuing === undefined || isDue(issuing, now, lives.intermediateSeconds)) {
    return { kind: 'intermediate', predecessorId: issuing?.id ?? null, root: signingRoot };
  }
  return { kind: 'nothing', issuing };
}
/** Also when a longer life was set meanwhile: plans may count on half of the life that is set. */
function isDue(intermediate: Authority, now: Date, setSeconds: number): boolean {
  const whole = lifeSeconds(intermediate);
  return whole < setSeconds || now.getTime() >= intermediate.notBefore.getTime() + renewedAfter * whole * 1000;
}

/** Longest life in seconds that a leaf signed now may have: half of the issuing certificate's whole life, bounded by its own end. */
export function longestLeafSeconds(issuing: { notBefore: Date; notAfter: Date }, now: Date): number {
  const left = (issuing.notAfter.getTime() - now.getTime()) / 1000;
  return Math.max(0, Math.floor(Math.min(lifeSeconds(issuing) / 2, left)));
}
