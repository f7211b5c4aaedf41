import type { ErrorObject } from 'ajv';
import { cut } from '../kernel/cut.ts';

const places: Readonly<Record<string, string>> = { requestBody: 'body', path: 'path', query: 'query', header: 'header' };
const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

const longestName = 40;
/** Names are the sender's: a long one is cut. */
const shorten = (name: string): string => cut(name, longestName);

/** `/requestBody/context/platform` → `context.platform of the body`. */
function fieldOf(pointer: string, child?: unknown): string {
  const [place = '', ...parts] = pointer.split('/').slice(1).map(unescapePointer);
  if (place === '' && typeof child === 'string') return `the ${places[child] ?? child}`;
  const names = typeof child === 'string' ? [...parts, child] : parts;
  return names.length === 0 ? `the ${places[place] ?? place}` : `${names.map(shorten).join('.')} (${places[place] ?? place})`;
}
const asList = (values: unknown): string =>
  Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : JSON.stringify(values);

type Params = Readonly<Record<string, unknown>>;
const sentences: Readonly<Record<string, (field: string, params: Params) => string>> = {
  type: (field, params) => `${field} must be ${asKind(params['type'])}`,
  minLength: (field) => `${field} must not be empty`,
  maxLength: (field, params) => `${field} must have at most ${String(params['limit'])} characters`,
  minimum: (field, params) => `${field} must be at least ${String(params['limit'])}`,
  maximum: (field, params) => `${field} must be at most ${String(params['limit'])}`,
  minItems: (field, params) => `${field} must have at least ${String(params['limit'])} entries`,
  maxItems: (field, params) => `${field} must have at most ${String(params['limit'])} entries`,
  enum: (field, params) => `${field} must be one of ${asList(params['allowedValues'])}`,
  pattern: (field, params) => `${field} must match ${String(params['pattern'])}`,
  format: (field, params) => `${field} must be a ${String(params['format'])}`,
  additionalProperties: (field, params) =>
    `${field}: remove ${JSON.stringify(shorten(String(params['additionalProperty'])))}, which is not known here`,
};
function asKind(type: unknown): string {
  const kinds = (Array.isArray(type) ? type : [type]).map(String);
  return kinds.map((kind) => (/^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`)).join(' or ');
}

/** At most five sentences that name the field and the fix, for a person. */
export function describeProblems(errors: readonly ErrorObject[]): string {
  const told = errors.map((error) => {
    const params = error.params as Params;
    if (error.keyword === 'required') return `${fieldOf(error.instancePath, params['missingProperty'])} is missing: send it`;
    const sentence = sentences[error.keyword];
    const field = fieldOf(error.instancePath);
    return sentence === undefined ? `${field} ${error.message ?? 'is not valid'}` : sentence(field, params);
  });
  const distinct = [...new Set(told)];
  return distinct.slice(0, 5).join('; ') + (distinct.length > 5 ? `; and ${distinct.length - 5} more` : '');
}
