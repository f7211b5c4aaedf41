import type { OutgoingHttpHeaders } from 'node:http';
import type { Principal } from '../access/principal.ts';

/** `never` (the generated types' word for "none") reads as an empty object. */
type Part<Op, Key extends string> = Op extends { parameters: infer All }
  ? Key extends keyof All
    ? [NonNullable<All[Key]>] extends [never]
      ? Readonly<Record<string, never>>
      : Readonly<NonNullable<All[Key]>>
    : Readonly<Record<string, never>>
  : Readonly<Record<string, never>>;
type JsonOf<Body> = [Body] extends [never]
  ? undefined
  : Body extends { content: { 'application/json': infer Content } }
    ? Content
    : undefined;
/** undefined is possible only where the document does not require a body. */
type BodyOf<Op> = Op extends { requestBody: infer Body }
  ? JsonOf<Body>
  : Op extends { requestBody?: infer Body }
    ? JsonOf<NonNullable<Body>> | undefined
    : undefined;

/** What every request carries once it may enter: who calls and under which request id. Contracts add their own (OSB: caller, version). */
export interface RequestContext {
  readonly requestId: string;
  /** null only on operations that the document declares open (`security: []`). */
  readonly principal: Principal | null;
}
/** Decoded, authorised and checked against the document of the contract. */
export interface Request<Op, Context = RequestContext> {
  readonly path: Part<Op, 'path'>;
  /** Coerced to the types of the document; parameters that it does not know are left out. */
  readonly query: Part<Op, 'query'>;
  readonly body: BodyOf<Op>;
  /** The body as received where the document declares no `application/json` for it. */
  readonly bytes: Buffer;
  readonly context: Context;
  /** A request header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
}

/** The headers that a handler may set; everything else belongs to the server. */
export type ReplyHeaders = Readonly<
  Partial<
    Record<
      | 'Allow'
      | 'Cache-Control'
      | 'Content-Disposition'
      | 'Content-Encoding'
      | 'Content-Type'
      | 'ETag'
      | 'Last-Modified'
      | 'Link'
      | 'Location'
      | 'Meshbroker-As-Of'
      | 'Meshbroker-Unattributed'
      | 'Retry-After'
      | 'Vary'
      | 'WWW-Authenticate',
      string
    >
  >
>;
type BodyFor<Content> = {
  [Type in keyof Content]: Type extends 'application/json'
    ? { readonly type?: Type; readonly body: Content[Type] }
    : Type extends `${string}+json`
      ? { readonly type: Type; readonly body: Content[Type] }
      : { readonly type: TypeOf<Type>; readonly body: string };
}[keyof Content];
/** Where the document leaves the type open, any may be sent. */
type TypeOf<Type> = Type extends '*/*' ? string : Type;
type ReplyFor<Status, Response> = Response extends { content: infer Content }
  ? { readonly status: Status; readonly headers?: ReplyHeaders; readonly operation?: string | undefined } & (
      | BodyFor<Content>
      /** Bytes that already are what the document says, in the given type. */
      | { readonly type: TypeOf<keyof Content>; readonly raw: Uint8Array }
    )
  : { readonly status: Status; readonly headers?: ReplyHeaders; readonly body?: undefined };
/** Exactly the (status, body) pairs of the document: a wrong status or a misspelt field does not compile. */
export type Reply<Op> = Op extends { responses: infer Responses }
  ? { [Status in Exclude<keyof Responses, 'default'>]: ReplyFor<Status, Responses[Status]> }[Exclude<keyof Responses, 'default'>]
  : never;
export type Handler<Op, Context = RequestContext> = (request: Request<Op, Context>) => Promise<Reply<Op>>;
/** Total: an operation of the document without a handler does not compile. */
export type Handlers<Operations, Context = RequestContext> = { readonly [Id in keyof Operations]: Handler<Operations[Id], Context> };

/** A reply without its document; what the server sends. */
export interface AnyReply {
  readonly status: number;
  readonly headers?: ReplyHeaders | OutgoingHttpHeaders;
  readonly type?: string;
  readonly body?: unknown;
  readonly raw?: Uint8Array;
  /** For the log line only: the operation that the request started or waited for, where the body does not name it. */
  readonly operation?: string | undefined;
}
/** A refusal that only one contract knows (OSB: 412). Everything else is thrown as a BrokerError. */
export class Refusal extends Error {
  readonly reply: AnyReply;
  constructor(reply: AnyReply, message = `refused with ${reply.status}`) {
    super(message);
    this.name = 'Refusal';
    this.reply = reply;
  }
}
/** What a contract may look at before the body is read. */
export interface Entrance extends RequestContext {
  readonly operationId: string;
  readonly method: string;
  readonly header: (name: string) => string | undefined;
}
export type ContractName = 'osb' | 'platform' | 'ingest';
/**
 * One document with its handlers. Order of checks for every operation: authentication (401, 429), authorisation (403), `enter`
 * (OSB: 412 version, 400 originating identity), path (400), body (413, 400), schema (400), handler.
 */
export interface Contract<Operations, Context> {
  readonly name: ContractName;
  readonly handlers: Handlers<Operations, Context>;
  /** Makes the context of a request, or throws a Refusal or BrokerError. */
  enter(entrance: Entrance): Context;
  /** The contract's words for any error; must be total and never tell more than the error's message (500: nothing). */
  refuse(error: unknown, request: { readonly operationId: string | null }): AnyReply;
}
/** A contract of any kind, as server and mount see it (made by `asMounted` of mount.ts). */
export interface MountedContract {
  readonly name: ContractName;
  readonly handlers: Readonly<Record<string, (request: Request<unknown, unknown>) => Promise<AnyReply>>>;
  enter(entrance: Entrance): unknown;
  refuse(error: unknown, request: { readonly operationId: string | null }): AnyReply;
}
