import { isJsonObject } from '../../kernel/json.ts';
import type { Json, JsonObject } from '../../kernel/json.ts';
import { schemasOf } from '../decode-offering.ts';
import { compileDraft04, draft04Problems } from '../json-schema.ts';
import { jsonText } from '../json-text.ts';
import type { PlanFile } from '../offering-file.ts';
import { draft04, reservedBindProperties } from '../parameter-schemas.ts';
import type { DocumentPath, Report } from '../problem.ts';
import { printPath } from '../problem.ts';

/** OSB CAT-29. */
const largestSchema = 65_536;
/** Keywords of later drafts, which a draft-04 validator ignores in silence; and what to write instead. */
const laterKeywords: Readonly<Record<string, string>> = {
  const: 'write enum with one value',
  contains: 'leave it out',
  propertyNames: 'use patternProperties and additionalProperties: false',
  if: 'use anyOf',
  then: 'use anyOf',
  else: 'use anyOf',
  $defs: 'write definitions',
  $id: 'leave it out',
  dependentRequired: 'write dependencies',
  dependentSchemas: 'write dependencies',
  prefixItems: 'write items with a list',
  unevaluatedProperties: 'use additionalProperties',
};
/** Keywords whose value is a map from names to schemas, or plain data: their keys are no keywords. */
const namesToSchemas: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'definitions', 'dependencies']);
const plainData: ReadonlySet<string> = new Set(['enum', 'default', 'required', 'example', 'examples']);

/** Draft-04, self-contained, at most 64 KiB, and a plain bind without parameters works (CAT-27 to CAT-29, INT-09). */
export function checkParameters(plan: PlanFile, planPath: DocumentPath, report: Report): void {
  const own = plan.parameters ?? {};
  const schemas = schemasOf(plan);
  for (const [key, schema, whole] of [
    ['provision', own.provision, schemas.create],
    ['update', own.update, schemas.update],
    ['bind', own.bind, schemas.bind],
  ] as const) {
    if (schema !== undefined) checkSchema(schema, whole, [...planPath, 'parameters', key], report);
  }
  if (own.bind !== undefined) checkBind(own.bind, plan, [...planPath, 'parameters', 'bind'], report);
}
/** Schemas without a finding: plans have the same ones again and again. */
const clean = new Set<string>();
const mostClean = 1_000;
const longestClean = 8_192;

function checkSchema(schema: JsonObject, whole: JsonObject, path: DocumentPath, report: Report): void {
  const text = jsonText(whole);
  const dialect = schema['$schema'];
  const key = dialect === undefined ? text : `${JSON.stringify(dialect)} ${text}`;
  if (clean.has(key)) return;
  let findings = 0;
  judgeSchema(schema, whole, text, path, (...finding) => {
    findings += 1;
    report(...finding);
  });
  if (findings > 0 || key.length > longestClean) return;
  if (clean.size >= mostClean) clean.clear();
  clean.add(key);
}
function judgeSchema(schema: JsonObject, whole: JsonObject, text: string, path: DocumentPath, report: Report): void {
  const dialect = schema['$schema'];
  if (dialect !== undefined && dialect !== draft04 && dialect !== draft04.slice(0, -1))
    report([...path, '$schema'], `${printPath(path)}: not every platform takes this dialect`, `write ${draft04}, or leave $schema out`);
  const size = Buffer.byteLength(text);
  if (size > largestSchema) report(path, `${printPath(path)}: is ${size} bytes as JSON`, `shorten it to at most ${largestSchema}`);
  for (const problem of draft04Problems(whole))
    report(
      inFile(path, problem.path, schema),
      `${printPath([...path, ...problem.path])}: ${problem.message}`,
      draft04Fix(problem.path.at(-1)),
    );
  checkKeywords(schema, schema, path, report);
}
function draft04Fix(key: string | number | undefined): string {
  const bound = /^exclusive(Min|Max)imum$/.exec(String(key))?.[1]?.toLowerCase();
  return bound === undefined ? 'write it as JSON Schema draft-04 has it' : `write ${String(key)}: true beside ${bound}imum`;
}
/** Findings about what was added by us point at the schema itself. */
function inFile(path: DocumentPath, within: DocumentPath, schema: JsonObject): DocumentPath {
  const [first] = within;
  return first !== undefined && first in schema ? [...path, ...within] : path;
}
function checkKeywords(node: Json, root: JsonObject, path: DocumentPath, report: Report): void {
  if (!isJsonObject(node)) {
    for (const [index, item] of itemsOf(node).entries()) checkKeywords(item, root, [...path, index], report);
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    const here = [...path, key];
    checkKeyword(key, value, root, here, report);
    if (!namesToSchemas.has(key) && !plainData.has(key)) checkKeywords(value, root, here, report);
  }
}
const itemsOf = (node: Json): readonly Json[] => (Array.isArray(node) ? (node as readonly Json[]) : []);
function checkKeyword(key: string, value: Json, root: JsonObject, here: DocumentPath, report: Report): void {
  const instead = laterKeywords[key];
  if (instead !== undefined) report(here, `${printPath(here)}: draft-04 ignores ${key}`, instead);
  if (key === '$ref') checkReference(value, root, here, report);
  if (key === 'pattern') checkPattern(value, here, report);
  if (!namesToSchemas.has(key) || !isJsonObject(value)) return;
  for (const [name, item] of Object.entries(value)) {
    if (key === 'patternProperties') checkPattern(name, [...here, name], report);
    checkKeywords(item, root, [...here, name], report);
  }
}
function checkReference(value: Json, root: JsonObject, path: DocumentPath, report: Report): void {
  if (typeof value !== 'string') return;
  if (!value.startsWith('#')) {
    report(path, `${printPath(path)}: "${value}" leaves the schema`, 'copy what it names into definitions and refer to "#/definitions/…"');
  } else if (!resolves(value, root)) {
    report(path, `${printPath(path)}: "${value}" names nothing`, 'correct it, or add what it names to definitions');
  }
}
function resolves(reference: string, root: JsonObject): boolean {
  let node: Json | undefined = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isJsonObject(node)) node = Object.hasOwn(node, key) ? node[key] : undefined;
    else if (Array.isArray(node)) node = node.at(Number(key)) as Json | undefined;
    else return false;
  }
  return isJsonObject(node);
}
function checkPattern(value: Json, path: DocumentPath, report: Report): void {
  if (typeof value !== 'string') return;
  try {
    new RegExp(value, 'u');
  } catch {
    report(path, `${printPath(path)}: ${JSON.stringify(value)} is no regular expression`, 'correct it (ECMA-262 with Unicode)');
  }
}
function checkBind(own: JsonObject, plan: PlanFile, path: DocumentPath, report: Report): void {
  const properties = own['properties'];
  for (const name of reservedBindProperties) {
    const here = [...path, 'properties', name];
    if (isJsonObject(properties) && name in properties) report(here, `${printPath(here)}: is added by the broker`, 'remove it');
  }
  if (!acceptsNothing(schemasOf(plan).bind))
    report(path, `${printPath(path)}: a bind without parameters is refused`, 'require nothing: platforms bind without parameters');
}
const combining = ['allOf', 'anyOf', 'oneOf', 'not', 'enum', 'minProperties', '$ref'];
/** Compiles only where the answer is not plain. */
function acceptsNothing(schema: JsonObject): boolean {
  if (!combining.some((keyword) => keyword in schema)) return !('required' in schema);
  try {
    return compileDraft04(schema)({});
  } catch {
    return true; // told above
  }
}
