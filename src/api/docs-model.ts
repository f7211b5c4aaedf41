/** The parts of an OpenAPI document that the pages show. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>;
    readonly securitySchemes?: Readonly<Record<string, { readonly type: string; readonly scheme?: string; readonly description?: string }>>;
  };
}
export type PathItem = Readonly<Partial<Record<Method, Operation>>> & { readonly parameters?: readonly Referable<Parameter>[] };
export const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;
export type Method = (typeof methods)[number];
export interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Referable<Parameter>[];
  readonly requestBody?: Referable<{ readonly required?: boolean; readonly content: Content }>;
  readonly responses: Readonly<Record<string, Referable<Answer>>>;
}
export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}
export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}
export type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
export interface Reference {
  readonly $ref: string;
}
export type Referable<T> = T | Reference;
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

const isReference = (value: object): value is Reference => '$ref' in value;

/** The thing itself; a reference of the same document is followed. */
export function resolve<T extends object>(document: OpenApi, value: Referable<T>): T {
  if (!isReference(value)) return value;
  let found: unknown = document;
  for (const part of value.$ref.split('/').slice(1))
    found = (found as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  if (typeof found !== 'object' || found === null) throw new Error(`${value.$ref} leads nowhere`);
  return resolve(document, found as Referable<T>);
}
