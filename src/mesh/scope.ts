/**
 * The name of a set of objects that is compiled as a whole. `guard/<offering id>`, `verdicts/<offering id>/<00..15>`, `gateway`,
 * `gateway-verdicts/<00..15>`, `gateway-destinations/<host>`, `gateway-routes/<host>`, `routes/<consumer namespace>/<host>`,
 * `ambient/<ref>`, `workload/<ref>`, `grant/<ref>`.
 */
export type Scope =
  | { readonly kind: 'guard'; readonly offeringId: string }
  | { readonly kind: 'verdicts'; readonly offeringId: string; readonly shard: string }
  | { readonly kind: 'gateway' }
  | { readonly kind: 'gateway-verdicts'; readonly shard: string }
  | { readonly kind: 'gateway-destinations' | 'gateway-routes'; readonly host: string }
  | { readonly kind: 'routes'; readonly namespace: string; readonly host: string }
  | { readonly kind: 'ambient' | 'workload' | 'grant'; readonly bindingRef: string };

export const verdictShards: readonly string[] = Array.from({ length: 16 }, (_, index) => String(index).padStart(2, '0'));
export const guardScope = (offeringId: string): string => `guard/${offeringId}`;
export const verdictScope = (offeringId: string, shard: string): string => `verdicts/${offeringId}/${shard}`;
export const gatewayScope = 'gateway';
export const gatewayVerdictScope = (shard: string): string => `gateway-verdicts/${shard}`;

const parsers: Readonly<Record<Scope['kind'], (rest: readonly string[]) => Scope>> = {
  guard: (rest) => ({ kind: 'guard', offeringId: rest.join('/') }),
  verdicts: (rest) => ({ kind: 'verdicts', offeringId: rest.slice(0, -1).join('/'), shard: rest.at(-1) ?? '' }),
  gateway: () => ({ kind: 'gateway' }),
  'gateway-verdicts': (rest) => ({ kind: 'gateway-verdicts', shard: rest.join('/') }),
  'gateway-destinations': (rest) => ({ kind: 'gateway-destinations', host: rest.join('/') }),
  'gateway-routes': (rest) => ({ kind: 'gateway-routes', host: rest.join('/') }),
  routes: ([namespace = '', ...rest]) => ({ kind: 'routes', namespace, host: rest.join('/') }),
  ambient: (rest) => ({ kind: 'ambient', bindingRef: rest.join('/') }),
  workload: (rest) => ({ kind: 'workload', bindingRef: rest.join('/') }),
  grant: (rest) => ({ kind: 'grant', bindingRef: rest.join('/') }),
};
const isKind = (word: string): word is Scope['kind'] => Object.hasOwn(parsers, word);

/** Throws on a text that is no scope: scopes are made by us only. */
export function parseScope(text: string): Scope {
  const [kind = '', ...rest] = text.split('/');
  if (!isKind(kind)) throw new Error(`unknown scope ${text}`);
  return parsers[kind](rest);
}
const order: readonly Scope['kind'][] = [
  'guard', 'verdicts', 'gateway-verdicts', 'gateway', 'ambient', 'workload', 'gateway-destinations', 'gateway-routes', 'routes', 'grant',
]; // prettier-ignore
const grants: ReadonlySet<Scope['kind']> = new Set(['verdicts', 'gateway-verdicts', 'grant']);

/** Order of exposure at a bind: what routes comes before what lets in. Backwards for an unbind. */
export function inOrderOfExposure(scopes: readonly string[]): readonly string[] {
  const rank = (scope: string): number => {
    const { kind } = parseScope(scope);
    return grants.has(kind) ? order.length : order.indexOf(kind);
  };
  return [...scopes].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
