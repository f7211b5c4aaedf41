import type { ErrorObject, ValidateFunction } from 'ajv';
import type { JsonObject } from '../kernel/json.ts';
import { didYouMean } from './did-you-mean.ts';
import { compileDraft04 } from './json-schema.ts';

const validators = new WeakMap<JsonObject, ValidateFunction>();
function validatorOf(schema: JsonObject): ValidateFunction {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = compileDraft04(schema);
    validators.set(schema, validator);
  }
  return validator;
}
/** Told at most: a sentence stays readable. */
const mostTold = 3;

/** Why parameters do not fit the schema, in one sentence that names the fields and the fix; undefined: they fit. Compiles a schema once. */
export function whyParametersDoNotFit(schema: JsonObject, parameters: JsonObject): string | undefined {
  const validate = validatorOf(schema);
  if (validate(parameters)) return undefined;
  const errors = validate.errors ?? [];
  const deepest = errors.filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'oneOf' && keyword !== 'allOf');
  const told = (deepest.length > 0 ? deepest : errors).map(describe);
  const unique = [...new Set(told)];
  const more = unique.length > mostTold ? `; and ${unique.length - mostTold} more` : '';
  return `${unique.slice(0, mostTold).join('; ')}${more}`;
}
interface Params {
  readonly additionalProperty?: string;
  readonly missingProperty?: string;
  readonly allowedValues?: readonly unknown[];
  readonly limit?: number;
  readonly type?: string | readonly string[];
  readonly format?: string;
}
interface Parent {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly description?: string;
}
const short = (text: string): string => (text.length > 64 ? `${text.slice(0, 61)}…` : text);

type Wording = (field: string, params: Params, parent: Parent) => string;
const wordings: Readonly<Record<string, Wording>> = {
  additionalProperties: (field, { additionalProperty = '' }, { properties = {} }) =>
    unknownField(field, additionalProperty, Object.keys(properties)),
  required: (field, { missingProperty = '' }) => `${field}.${missingProperty} is missing: add it`,
  enum: (field, { allowedValues = [] }) => `${field} must be one of ${allowedValues.map(String).join(', ')}`,
  type: (field, { type = [] }) => `${field} must be of type ${[type].flat().join(' or ')}`,
  pattern: (field, _params, { description = 'see the schema of the plan in the catalogue' }) =>
    `${field} has the wrong form: ${description}`,
  format: (field, { format = 'value of another form' }) => `${field} must be a ${format}`,
};
function describe(error: ErrorObject): string {
  const steps = error.instancePath.split('/').slice(1);
  const field = `parameters${steps.map((step) => `.${short(step.replaceAll('~1', '/').replaceAll('~0', '~'))}`).join('')}`;
  const wording = wordings[error.keyword];
  if (wording !== undefined) return wording(field, error.params, (error.parentSchema ?? {}) as Parent);
  return `${field} ${error.message ?? 'does not fit the schema of the plan in the catalogue'}`;
}
function unknownField(field: string, name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known);
  const fix = meant === undefined ? (known.length === 0 ? 'remove it' : `known are ${known.join(', ')}`) : `did you mean ${meant}?`;
  return `${field}.${short(name)} is not known: ${fix}`;
}
