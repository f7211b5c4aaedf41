import { envoy } from './envoy-types.ts';

/** Envoy's matching API (xds.type.matcher.v3) for the few questions that a verdict asks of a request. */
export type Predicate = Readonly<Record<string, unknown>>;
export const portInput = { name: 'envoy.matching.inputs.destination_port', typed_config: { '@type': envoy.destinationPortInput } };
export const uriSanInput = { name: 'envoy.matching.inputs.uri_san', typed_config: { '@type': envoy.uriSanInput } };
const headerInput = (header: string): Readonly<Record<string, unknown>> => ({
  name: 'envoy.matching.inputs.request_headers',
  typed_config: { '@type': envoy.headerInput, header_name: header },
});
const single = (input: Readonly<Record<string, unknown>>, match: Readonly<Record<string, unknown>>): Predicate => ({
  single_predicate: { input, value_match: match },
});
export function anyOf(predicates: readonly Predicate[]): Predicate {
  return predicates.length === 1 && predicates[0] !== undefined ? predicates[0] : { or_matcher: { predicate: predicates } };
}
export function allOf(predicates: readonly Predicate[]): Predicate {
  return predicates.length === 1 && predicates[0] !== undefined ? predicates[0] : { and_matcher: { predicate: predicates } };
}
export const portIs = (port: number): Predicate => single(portInput, { exact: String(port) });
export const methodIs = (method: string): Predicate => single(headerInput(':method'), { exact: method });
export const hostIs = (host: string): Predicate => single(headerInput(':authority'), { exact: host, ignore_case: true });
export const pathIs = (path: string): Predicate => single(headerInput(':path'), pathMatch(path));

export const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const query = '(?:\\?.*)?';
const regex = (text: string): Readonly<Record<string, unknown>> => ({ safe_regex: { google_re2: {}, regex: text } });

/**
 * Istio's path forms as a match of `:path`, which holds the query too: exact, `/prefix/*`, `*suffix`, `*`, and templates, where `{*}`
 * is one segment and `{**}` any number of them.
 */
export function pathMatch(path: string): Readonly<Record<string, unknown>> {
  if (path === '*') return { prefix: '/' };
  if (path.includes('{*}') || path.includes('{**}')) {
    const parts = path.split(/(\{\*\*?\})/).map((part) => {
      if (part === '{*}') return '[^/?]+';
      return part === '{**}' ? '[^?]*' : escapeRegex(part);
    });
    return regex(parts.join('') + query);
  }
  if (path.endsWith('*')) return { prefix: path.slice(0, -1) };
  if (path.startsWith('*')) return regex(`[^?]*${escapeRegex(path.slice(1))}${query}`);
  return regex(escapeRegex(path) + query);
}
