import type { ErrorObject } from 'ajv';
import { Ajv } from 'ajv';
import offeringSchema from '../../schemas/offering.schema.json' with { type: 'json' };
import { didYouMean } from './did-you-mean.ts';
import type { OfferingFile } from './offering-file.ts';
import type { DocumentPath, Finding } from './problem.ts';
import { printPath } from './problem.ts';

/** Compiled at each start: a test judges the schema itself, and unoptimised code is made in a third of the time (25 ms, 2026-11). */
const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, validateSchema: false, code: { optimize: false } });
ajv.addKeyword('patternErrorMessage');
ajv.addKeyword('errorMessage');
const isOfferingFile = ajv.compile<OfferingFile>(offeringSchema);

export type Structure =
  | { readonly ok: true; readonly file: OfferingFile }
  /** `unsound`: where a type or a word is wrong, a key is missing, or the offering, its service or a plan has a key that is not known. */
  | { readonly ok: false; readonly findings: readonly Finding[]; readonly unsound: readonly DocumentPath[] };
/** Judges a document against schemas/offering.schema.json: the document with its type, or every finding. */
export function checkStructure(document: unknown): Structure {
  if (isOfferingFile(document)) return { ok: true, file: document };
  const errors = isOfferingFile.errors ?? [];
  const alternatives = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath);
  const told = errors.filter((error) => !alternatives.some((path) => error.schemaPath.startsWith(`${path}/`)));
  return { ok: false, findings: told.flatMap(toFinding), unsound: told.flatMap(unsoundAt) };
}
/** Two steps deep, a key that is not known may be meant for one that others depend on: a subset, the kinds of consumers. */
function unsoundAt({ keyword, instancePath }: ErrorObject): readonly DocumentPath[] {
  const path = fromPointer(instancePath);
  return ['type', 'required', 'enum'].includes(keyword) || (keyword === 'additionalProperties' && path.length <= 2) ? [path] : [];
}

interface Params {
  readonly additionalProperty?: string;
  readonly missingProperty?: string;
  readonly allowedValues?: readonly unknown[];
  readonly limit?: number;
  readonly type?: string;
  readonly i?: number;
  readonly j?: number;
}
interface Described {
  readonly description?: string;
  readonly $ref?: string;
}
interface Keywords extends Described {
  readonly patternErrorMessage?: string;
  /** The fix of what is empty, or has another value than the only one. */
  readonly errorMessage?: string;
  readonly properties?: Readonly<Record<string, Described | undefined>>;
  readonly items?: { readonly enum?: readonly string[] };
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minProperties?: number;
}
type Wording = (params: Params, schema: Keywords, data: unknown) => { readonly what: string; readonly fix: string };

const words = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};
const isWord = (type: string): type is keyof typeof words => Object.hasOwn(words, type);
const wordFor = (type: string): string => (isWord(type) ? words[type] : type);
function kindOf(data: unknown): string {
  if (data === null || data === undefined) return 'without a value';
  if (Array.isArray(data)) return 'a list';
  return typeof data === 'boolean' ? `the truth value ${String(data)}` : wordFor(typeof data);
}
const quoted = (data: unknown): string => {
  const text = JSON.stringify(data);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
};
const range: Wording = (_params, { minimum, maximum }, data) => ({
  what: `${quoted(data)} is out of range`,
  fix: maximum === undefined ? `use ${String(minimum)} or more` : `use ${String(minimum)} to ${String(maximum)}`,
});
const notAllowed: Wording = (_params, schema, data) => ({
  what: `${quoted(data)} is not allowed here`,
  fix: schema.patternErrorMessage ?? schema.description ?? 'see schemas/offering.schema.json',
});
const tooFew: Wording = (_params, { errorMessage, properties, items }) => ({
  what: 'is empty',
  fix: errorMessage ?? `write at least one of ${(items?.enum ?? Object.keys(properties ?? {})).join(', ')}`,
});
const definitions: Readonly<Record<string, Described | undefined>> = offeringSchema.definitions;
/** What stands at a key, in the words of its schema or of the definition that it names. */
function meaning(schema: Described | undefined): string {
  const definition = definitions[schema?.$ref?.split('/').at(-1) ?? ''];
  return schema?.description ?? definition?.description ?? 'it is always needed';
}
const tooMany: Wording = ({ limit }, { minProperties }) =>
  limit === 1 && minProperties === 1
    ? { what: 'has several alternatives', fix: 'keep one of them' }
    : { what: 'has too many entries', fix: `keep at most ${String(limit)}` };

const wordings: Readonly<Record<string, Wording>> = {
  additionalProperties: ({ additionalProperty = '' }, { properties = {} }) => {
    const known = Object.keys(properties);
    const meant = didYouMean(additionalProperty, known);
    return {
      what: `unknown key ${quoted(additionalProperty)}`,
      fix: meant === undefined ? `the keys here are ${known.join(', ')}` : `did you mean ${meant}?`,
    };
  },
  required: ({ missingProperty = '' }, { properties = {} }) => ({
    what: `${missingProperty} is missing`,
    fix: `add ${missingProperty}: ${meaning(properties[missingProperty])}`,
  }),
  type: ({ type = '' }, _schema, data) => ({
    what: `must be ${wordFor(type)}, and is ${kindOf(data)}`,
    fix: quotingHelps(type, data) ? `write it in quotes: "${String(data)}"` : `write ${wordFor(type)}`,
  }),
  enum: ({ allowedValues = [] }, _schema, data) => {
    const known = allowedValues.map(String);
    const meant = typeof data === 'string' ? didYouMean(data, known) : undefined;
    return {
      what: `${quoted(data)} is not known`,
      fix: `use ${known.join(', ')}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`,
    };
  },
  const: (_params, schema) => ({ what: 'has the wrong value', fix: schema.errorMessage ?? 'see schemas/offering.schema.json' }),
  pattern: notAllowed,
  anyOf: notAllowed,
  not: notAllowed,
  minLength: (_params, { description }) => ({ what: 'is empty', fix: `write something: ${description ?? 'it is always needed'}` }),
  maxLength: ({ limit }, _schema, data) => ({
    what: `is ${String(String(data).length)} characters long`,
    fix: `shorten it to at most ${String(limit)}`,
  }),
  minimum: range,
  maximum: range,
  minItems: tooFew,
  minProperties: tooFew,
  maxItems: tooMany,
  maxProperties: tooMany,
  uniqueItems: ({ i = 0, j = 0 }) => ({ what: `items ${j} and ${i} are equal`, fix: 'keep one of them' }),
};
const quotingHelps = (type: string, data: unknown): boolean => type === 'string' && (typeof data === 'number' || typeof data === 'boolean');

function toFinding(error: ErrorObject): Finding[] {
  if (error.keyword === 'propertyNames') return [];
  const params: Params = error.params;
  const base = fromPointer(error.instancePath);
  const key = error.propertyName ?? params.additionalProperty;
  const path = key === undefined ? base : [...base, key];
  const wording = wordings[error.keyword] ?? notAllowed;
  const { what, fix } = wording(params, (error.parentSchema ?? {}) as Keywords, error.propertyName ?? error.data);
  return [{ severity: 'error', path, atKey: key !== undefined, what: `${printPath(base)}: ${what}`, fix }];
}
/** JSON Pointer (RFC 6901) to path; numbers are indexes, which is right wherever keys of our files are names. */
function fromPointer(pointer: string): DocumentPath {
  const steps = pointer.split('/').slice(1);
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
}
