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
export function allOf(predicates: readonly Predicate[]): Predicate {
  return predicates.length === 1 && predicates[0] !== undefined ? predicates[0] : { and_matcher: { predicate: predicates } };
}
export const portIn = (ports: readonly number[]): Predicate => single(portInput, oneOf(ports.map(String)));
export const methodIn = (methods: readonly string[]): Predicate => single(headerInput(':method'), oneOf(methods));
export const pathIn = (paths: readonly string[]): Predicate => single(headerInput(':path'), pathMatch(paths));
/** The names in any case, with or without one of the ports. */
export function hostIn(names: readonly string[], ports: readonly number[]): Predicate {
  const port = ports.length === 0 ? '' : `(?::(?:${ports.join('|')}))?`;
  return single(headerInput(':authority'), regex(`(?i)(?:${names.map(escapeRegex).join('|')})${port}`));
}
export const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
/** Envoy matches the whole text. */
const regex = (text: string): Readonly<Record<string, unknown>> => ({ safe_regex: { google_re2: {}, regex: text } });
const oneOf = (texts: readonly string[]): Readonly<Record<string, unknown>> =>
  texts.length === 1 ? { exact: texts[0] } : regex(texts.map(escapeRegex).join('|'));

/** One match of `:path`, which holds the query too, for all the paths: few predicates keep lists small and quick. */
export function pathMatch(paths: readonly string[]): Readonly<Record<string, unknown>> {
  const [only] = paths;
  if (paths.includes('*')) return { prefix: '/' };
  if (paths.length === 1 && only !== undefined && isPrefix(only)) return { prefix: only.slice(0, -1) };
  return regex(paths.map(pathRegex).join('|'));
}
const isTemplate = (path: string): boolean => path.includes('{*}') || path.includes('{**}');
const isPrefix = (path: string): boolean => path.endsWith('*') && !isTemplate(path);
const query = '(?:\\?.*)?';

/**
 * Istio's path forms as an expression: exact, `/prefix/*`, `*suffix`, and templates, where `{*}` is one segment and `{**}` any number.
 */
function pathRegex(path: string): string {
  if (isTemplate(path)) {
    const parts = path.split(/(\{\*\*?\})/).map((part) => {
      if (part === '{*}') return '[^/?]+';
      return part === '{**}' ? '[^?]*' : escapeRegex(part);
    });
    return parts.join('') + query;
  }
  if (isPrefix(path)) return `${escapeRegex(path.slice(0, -1))}.*`;
  return path.startsWith('*') ? `[^?]*${escapeRegex(path.slice(1))}${query}` : escapeRegex(path) + query;
}
