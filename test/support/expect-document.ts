import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { load } from 'js-yaml';
import { expect } from 'vitest';

/** A response as supertest gives it; `fromFetch` makes one of a fetch Response. */
export interface SeenResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
export async function fromFetch(response: Response): Promise<SeenResponse> {
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

type Node = Readonly<Record<string, unknown>>;
const names = ['osb', 'platform', 'ingest'] as const;
const methods = ['get', 'put', 'post', 'patch', 'delete'];
const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
addFormats.default(ajv);

export interface Documented {
  readonly document: string;
  /** As the document spells it. */
  readonly path: string;
  readonly operationId: string;
  readonly method: string;
  readonly matches: RegExp;
  readonly responses: Readonly<Record<string, Node>>;
}
const roots = new Map<string, Node>();
/** Every operation of the three documents. */
export const documentedOperations: readonly Documented[] = names.flatMap((name) => {
  const text = readFileSync(new URL(`../../openapi/${name}.yaml`, import.meta.url), 'utf8');
  const root = JSON.parse(JSON.stringify(load(text)).replaceAll('"$ref":"#/', `"$ref":"${name}.yaml#/`)) as Node;
  roots.set(`${name}.yaml`, root);
  ajv.addSchema({ ...root, $id: `${name}.yaml` });
  return Object.entries(root['paths'] as Record<string, Node>).flatMap(([path, item]) =>
    methods
      .filter((method) => method in item)
      .map((method) => {
        const operation = item[method] as Node;
        const pattern = path.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll(/\{\w+\}/g, '[^/]+');
        return {
          document: name,
          path,
          operationId: operation['operationId'] as string,
          method,
          matches: new RegExp(`^${pattern}$`),
          responses: operation['responses'] as Record<string, Node>,
        };
      }),
  );
});

function resolve(node: Node): Node {
  const reference = node['$ref'];
  if (typeof reference !== 'string') return node;
  const [file = '', pointer = ''] = reference.split('#');
  let found: unknown = roots.get(file);
  for (const part of pointer.split('/').slice(1)) found = (found as Node)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  return resolve(found as Node);
}

const validators = new Map<string, ValidateFunction>();
function validatorOf(key: string, schema: Node): ValidateFunction {
  const known = validators.get(key) ?? ajv.compile(schema);
  validators.set(key, known);
  return known;
}
const mediaTypeOf = (value: string | string[] | undefined): string =>
  String(value ?? '')
    .split(';', 1)[0]
    ?.trim() ?? '';
const parse = (text: string, type: string): unknown => (type === 'application/json' || type.endsWith('+json') ? JSON.parse(text) : text);

/** The operation that the documents have for a request; undefined: none (then it must be a refusal). */
export function documentedOperation(method: string, url: string): string | undefined {
  return find(method, url)?.operationId;
}
function find(method: string, url: string): Documented | undefined {
  const path = url.split('?', 1)[0] ?? '';
  const wanted = method.toLowerCase() === 'head' ? 'get' : method.toLowerCase();
  // A literal path (`/docs/style.css`) before a template that also matches (`/docs/{contract}`).
  const fitting = documentedOperations.filter((operation) => operation.method === wanted && operation.matches.test(path));
  return fitting.find(({ matches }) => !matches.source.includes('[^/]+')) ?? fitting[0];
}

/** Fails unless the response is one that the documents promise for this request: status, media type, headers and body. */
export function expectDocumented(method: string, url: string, response: SeenResponse): void {
  const operation = find(method, url);
  const where = `${method} ${url} → ${response.status} ${response.text.slice(0, 500)}`;
  if (operation === undefined) {
    expectRefusal(url, response, where);
    return;
  }
  const declared = operation.responses[String(response.status)] ?? operation.responses['default'];
  expect(declared, `${where}: openapi/${operation.document}.yaml has no such status for ${operation.operationId}`).toBeDefined();
  const answer = resolve(declared ?? {});
  expectHeaders(answer, response, where);
  const content = answer['content'] as Readonly<Record<string, Node>> | undefined;
  if (content === undefined) {
    expect(response.text, `${where}: no body is documented`).toBe('');
    return;
  }
  if (method.toUpperCase() === 'HEAD') return;
  const type = mediaTypeOf(response.headers['content-type']);
  const media = content[type] ?? content['*/*'];
  expect(media, `${where}: ${type} is not documented`).toBeDefined();
  const body = parse(response.text, type);
  if (type === 'application/problem+json')
    expect(body, `${where}: as the status line (RFC 9457)`).toMatchObject({ status: response.status });
  expectBody(
    `${operation.operationId} ${response.status in operation.responses ? response.status : 'default'} ${type}`,
    media ?? {},
    body,
    where,
  );
}

function expectBody(key: string, media: Node, body: unknown, where: string): void {
  const validate = validatorOf(key, (media['schema'] ?? {}) as Node);
  expect(validate(body) ? [] : validate.errors, where).toEqual([]);
}
function expectHeaders(answer: Node, response: SeenResponse, where: string): void {
  for (const [name, declared] of Object.entries((answer['headers'] ?? {}) as Record<string, Node>)) {
    const header = resolve(declared);
    const value = response.headers[name.toLowerCase()];
    if (header['required'] === true) expect(value, `${where}: header ${name} is missing`).toBeDefined();
    if (value === undefined) continue;
    const schema = resolve((header['schema'] ?? {}) as Node);
    const typed = schema['type'] === 'integer' ? Number(value) : value;
    expectBody(`header ${name} ${JSON.stringify(schema)}`, { schema }, typed, `${where}: header ${name}`);
  }
}
/** What belongs to no operation is refused in the words of the contract whose prefix it has. */
function expectRefusal(url: string, response: SeenResponse, where: string): void {
  expect(response.status, where).toBeGreaterThanOrEqual(400);
  const isOsb = /^\/v2(?:\/|$|\?)/.test(url);
  const type = mediaTypeOf(response.headers['content-type']);
  expect(type, where).toBe(isOsb ? 'application/json' : 'application/problem+json');
  if (response.text === '') return;
  const body = JSON.parse(response.text) as Node;
  if (isOsb) expect(body, where).toMatchObject({ description: expect.stringMatching(/./) as string });
  else
    expect(body, where).toMatchObject({
      status: response.status,
      title: expect.any(String) as string,
      detail: expect.any(String) as string,
    });
}
