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

export function parseScope(text: string): Scope {
  const [kind = '', ...rest] = text.split('/');
  const tail = rest.join('/');
  switch (kind) {
    case 'guard':
      return { kind, offeringId: tail };
    case 'verdicts':
      return { kind, offeringId: rest.slice(0, -1).join('/'), shard: rest.at(-1) ?? '' };
    case 'gateway':
      return { kind };
    case 'gateway-verdicts':
      return { kind, shard: tail };
    case 'gateway-destinations':
    case 'gateway-routes':
      return { kind, host: tail };
    case 'routes':
      return { kind, namespace: rest[0] ?? '', host: rest.slice(1).join('/') };
    case 'ambient':
    case 'workload':
    case 'grant':
      return { kind, bindingRef: tail };
    default:
      throw new Error(`unknown scope ${text}`);
  }
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
