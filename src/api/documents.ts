import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { load } from 'js-yaml';
import { OpenAPIBackend } from 'openapi-backend';
import type { Document, Operation } from 'openapi-backend';
import type { ContractName } from './contract.ts';
import { packageFolder } from '../package-folder.ts';

/** One operation of a document, ready to be routed and validated. */
export interface OperationRoute {
  readonly operationId: string;
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** As the document spells it: `/v2/service_instances/{instance_id}`. */
  readonly path: string;
  /** Names of the security schemes any of which lets in; empty: open to everybody. */
  readonly schemes: readonly string[];
  /** Validators of openapi-backend over `{path, query, header, requestBody}`; parameters are coerced in place. */
  readonly validators: readonly ValidateFunction[];
  /** Query parameters that the document knows; true where it is an array. All others are ignored (OSB EXT-03). */
  readonly queryParameters: ReadonlyMap<string, boolean>;
  /** Media types of the request body; empty: none is read. */
  readonly requestTypes: readonly string[];
  readonly bodyRequired: boolean;
}
export interface LoadedDocument {
  readonly name: ContractName;
  readonly text: string;
  /** References resolved. */
  readonly definition: Document;
  readonly routes: readonly OperationRoute[];
}

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;

const isInstant = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));

/** Reads openapi/<name>.yaml of this package and compiles each operation's validators once. Whether the document is valid OpenAPI is a test's business. */
export async function loadDocument(name: ContractName): Promise<LoadedDocument> {
  const text = readFileSync(join(packageFolder, `openapi/${name}.yaml`), 'utf8');
  const backend = new OpenAPIBackend({
    definition: load(text) as Document,
    strict: true,
    quick: true,
    ajvOpts: { allErrors: true, strict: false, formats: { 'date-time': isInstant, uri: true } },
  });
  await backend.init();
  const routes = backend.router.getOperations().map((operation) => toRoute(backend, operation));
  return { name, text, definition: backend.definition, routes };
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: { readonly type?: unknown };
}

function toRoute(backend: OpenAPIBackend, operation: Operation): OperationRoute {
  const method = methods.find((known) => known === operation.method);
  const { operationId } = operation;
  if (method === undefined || operationId === undefined)
    throw new Error(`${operation.method} ${operation.path}: needs an operationId and a known method`);
  const security = operation.security ?? backend.definition.security ?? [];
  const parameters = (operation.parameters ?? []) as readonly Parameter[];
  const requestBody = operation.requestBody as { content: Record<string, unknown>; required?: boolean } | undefined;
  let validators: OperationRoute['validators'] | undefined; // compiled when first needed: all at once would be a third of a start
  return {
    operationId,
    method,
    path: operation.path,
    schemes: security.flatMap((requirement) => Object.keys(requirement)),
    get validators() {
      return (validators ??= backend.validator.buildRequestValidatorsForOperation(operation) ?? []);
    },
    queryParameters: new Map(parameters.filter((each) => each.in === 'query').map((each) => [each.name, each.schema?.type === 'array'])),
    requestTypes: Object.keys(requestBody?.content ?? {}),
    bodyRequired: requestBody?.required === true,
  };
}
