import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { Environment } from '@marcbachmann/cel-js';
import { isJsonObject, type Json, type JsonObject } from '../../src/kernel/json.ts';
import type { MeshObject } from '../../src/mesh/mesh-object.ts';

const fixture = JSON.parse(readFileSync(new URL('../fixtures/mesh/crds.json', import.meta.url), 'utf8')) as {
  readonly schemas: Readonly<Record<string, JsonObject>>;
};
const labelValue = { type: 'string', maxLength: 63, pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$' };
/** Kubernetes' own rules for what every object has, and for the part of a core Service that we write. */
const metadataSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'namespace', 'labels', 'annotations'],
  properties: {
    name: { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' },
    namespace: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
    labels: { type: 'object', propertyNames: { pattern: '^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$' }, additionalProperties: labelValue },
    annotations: { type: 'object', propertyNames: { pattern: '^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$' }, additionalProperties: { type: 'string' } },
  },
}; // prettier-ignore
const port = { type: 'integer', minimum: 1, maximum: 65_535 };
const serviceSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['selector', 'ports'],
  properties: {
    selector: { type: 'object', minProperties: 1, additionalProperties: labelValue },
    ports: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'port', 'targetPort', 'appProtocol'],
        properties: {
          name: { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' },
          port,
          targetPort: port,
          appProtocol: { type: 'string' },
        },
      },
    },
  },
};
/** An unknown field is an error, as with `kubectl --validate=strict`; the API server would silently drop it. */
function strict(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map((item) => strict(item as Json));
  if (!isJsonObject(schema)) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strictPart(key, value)]));
  if (inner['x-kubernetes-int-or-string'] === true) return { anyOf: [{ type: 'integer' }, { type: 'string' }] };
  const closed = 'properties' in inner && !('additionalProperties' in inner) && inner['x-kubernetes-preserve-unknown-fields'] !== true;
  // `oneOf` branches name fields only to require them; the schema around them closes the set.
  return closed && inner['type'] === 'object' ? { ...inner, additionalProperties: false } : inner;
}
function strictPart(key: string, value: Json): Json {
  if (key === 'properties' && isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, strict(field)]));
  return key === 'default' || key === 'enum' || key === 'x-kubernetes-validations' ? value : strict(value);
}
const ajv = new Ajv({ allErrors: true, strict: false, useDefaults: true });
addFormats.default(ajv);
ajv.addKeyword('x-kubernetes-validations');
const validateMetadata = ajv.compile(metadataSchema);
const validators = new Map<string, ValidateFunction>([['v1/Service', ajv.compile(serviceSchema)]]);
function validatorOf(key: string): ValidateFunction | undefined {
  const schema = fixture.schemas[key];
  if (!validators.has(key) && schema !== undefined) validators.set(key, ajv.compile(strict(schema) as JsonObject));
  return validators.get(key);
}
interface Rule {
  readonly rule: string;
  readonly message?: string;
}
/** Rules that the CEL engine of these tests cannot evaluate, and why; asserted, so that the list stays true. */
export const unevaluable = new Map<string, string>();
const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
const programs = new Map<string, ((context: Record<string, unknown>) => unknown) | undefined>();
function programOf(rule: string): ((context: Record<string, unknown>) => unknown) | undefined {
  if (!programs.has(rule)) {
    try {
      programs.set(rule, environment.parse(rule));
    } catch (error) {
      unevaluable.set(rule, String(error));
      programs.set(rule, undefined);
    }
  }
  return programs.get(rule);
}
/** As CEL sees it: whole numbers are int, and a field with a reserved word for a name is written `__namespace__`. */
function celValue(value: unknown, schema: Json | undefined): unknown {
  const known = isJsonObject(schema ?? null) ? (schema as JsonObject) : {};
  if (typeof value === 'number') return known['type'] === 'integer' || known['x-kubernetes-int-or-string'] === true ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => celValue(item, known['items']));
  if (typeof value !== 'object' || value === null) return value;
  const fields = (known['properties'] ?? {}) as JsonObject;
  const entries = Object.entries(value).map(([key, field]): [string, unknown] => [
    key,
    celValue(field, fields[key] ?? known['additionalProperties']),
  ]);
  return Object.fromEntries(
    entries.flatMap(([key, field]) =>
      key === 'namespace'
        ? [
            [key, field],
            ['__namespace__', field],
          ]
        : [[key, field]],
    ),
  );
}
let evaluated = 0;
export const rulesEvaluated = (): number => evaluated;
function broken(value: unknown, schema: Json | undefined, path: string): readonly string[] {
  if (!isJsonObject(schema ?? null)) return [];
  const known = schema as JsonObject;
  const rules = (known['x-kubernetes-validations'] ?? []) as unknown as readonly Rule[];
  const own = rules.filter(({ rule }) => !holds(rule, value, known)).map(({ rule, message }) => `${path}: ${message ?? rule}`);
  if (Array.isArray(value)) return [...own, ...value.flatMap((item, index) => broken(item, known['items'], `${path}/${index}`))];
  if (typeof value !== 'object' || value === null) return own;
  const fields = (known['properties'] ?? {}) as JsonObject;
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, field]) => broken(field, fields[key] ?? known['additionalProperties'], `${path}/${key}`)),
  ];
}
function holds(rule: string, value: unknown, schema: JsonObject): boolean {
  const program = programOf(rule);
  if (program === undefined) return true;
  try {
    evaluated += 1;
    return program({ self: celValue(value, schema) }) === true;
  } catch (error) {
    unevaluable.set(rule, String(error));
    return true;
  }
}
/** Everything that an API server with strict field validation would say against the object. */
export function problemsOf(object: MeshObject): readonly string[] {
  const key = `${object.apiVersion}/${object.kind}`;
  const validate = validatorOf(key);
  if (validate === undefined) return [`${key} is not a kind of the fixture`];
  const copy = structuredClone({ metadata: object.metadata, spec: object.spec });
  const errors = [...complaints(validateMetadata, copy.metadata, 'metadata'), ...complaints(validate, copy.spec, 'spec')];
  return errors.length > 0 ? errors : broken(copy.spec, fixture.schemas[key], 'spec');
}
function complaints(validate: ValidateFunction, value: unknown, path: string): readonly string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${path}${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
}
