import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Express, Request as ExpressRequest, Response as ExpressResponse } from 'express';
import type { Principal } from '../access/principal.ts';
import { BrokerError } from '../kernel/errors.ts';
import { point } from '../kernel/points.ts';
import type { AnyReply, Contract, Entrance, MountedContract, Request } from './contract.ts';
import { Refusal } from './contract.ts';
import type { LoadedDocument, OperationRoute } from './documents.ts';
import type { BodyRules } from './body.ts';
import { checkBodyHeaders, mediaType, readBody } from './body.ts';
import { describeProblems } from './describe-problems.ts';
import { exchangeOf } from './exchange.ts';
import type { JsonLimits } from './json-guard.ts';
import { parseJson } from './json-guard.ts';
import { withStatus } from './problem.ts';

/** What the server lends to every mounted contract. */
export interface Door {
  /** The principal, or null where `schemes` is empty. Throws unauthenticated, forbidden, rate-limited. */
  readonly authenticate: (request: ExpressRequest, response: ExpressResponse, schemes: readonly string[]) => Promise<Principal | null>;
  /** Writes the reply, the log line and the metric. */
  finish(request: IncomingMessage, response: ServerResponse, reply: AnyReply): void;
  /** Writes to the audit log that the principal may not do what it asked for (403). */
  deny(request: ExpressRequest, error: unknown): void;
  /** Logs the whole chain of an error that is nobody's refusal. */
  report(request: IncomingMessage, error: unknown): void;
}
export interface MountOptions {
  readonly body: BodyRules;
  readonly json: JsonLimits;
}

/** The one place where the types of a contract are let go: the validators of its document stand in for them at run time. */
export const asMounted = <Operations, Context>(contract: Contract<Operations, Context>): MountedContract =>
  contract as unknown as MountedContract;

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Express routes for every operation of the document, then 405 with Allow for its paths. */
export function mountContract(app: Express, document: LoadedDocument, contract: MountedContract, options: MountOptions, door: Door): void {
  const paths = new Map<string, OperationRoute[]>();
  for (const route of document.routes) {
    const handler = contract.handlers[route.operationId];
    if (handler === undefined) throw new Error(`openapi/${document.name}.yaml: ${route.operationId} has no handler`);
    paths.set(route.path, [...(paths.get(route.path) ?? []), route]);
    app[route.method](expressPath(route.path), (request, response) => run(request, response, { route, contract, options, door, handler }));
  }
  for (const [path, routes] of paths) {
    const allow = routes.map((route) => route.method.toUpperCase()).concat(routes.some((route) => route.method === 'get') ? ['HEAD'] : []);
    app.all(expressPath(path), (request, response) =>
      refuseMethod(request, response, { contract, door, allow, schemes: routes.flatMap((route) => route.schemes) }),
    );
  }
}

interface Run {
  readonly route: OperationRoute;
  readonly contract: MountedContract;
  readonly options: MountOptions;
  readonly door: Door;
  readonly handler: MountedContract['handlers'][string];
}

async function run(request: ExpressRequest, response: ExpressResponse, run: Run): Promise<void> {
  const exchange = exchangeOf(request);
  exchange.contract = run.contract.name;
  exchange.operationId = run.route.operationId;
  let reply: AnyReply;
  let refused: unknown;
  try {
    exchange.principal = await run.door.authenticate(request, response, run.route.schemes);
    await point('C1');
    reply = await run.handler(await decode(request, run));
  } catch (error) {
    refused = error;
    reply = toReply(error, run.contract, run.route.operationId, (cause) => run.door.report(request, cause));
  }
  if (reply.status === 403) run.door.deny(request, refused);
  run.door.finish(request, response, reply);
  await point('C5');
}

async function decode(request: ExpressRequest, { route, contract, options }: Run): Promise<Request<unknown, unknown>> {
  const { requestId, principal } = exchangeOf(request);
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  const entrance: Entrance = { requestId, principal, operationId: route.operationId, method: request.method, header };
  const context = contract.enter(entrance);
  const path = checkPath(request.params);
  const bytes = route.requestTypes.length === 0 ? noBytes : await bodyOf(request, route, contract, options);
  const isJson = route.requestTypes.includes('application/json');
  const parameters: Record<string, unknown> = { path, query: queryOf(request, route), header: request.headers };
  if (isJson && (bytes.byteLength > 0 || route.bodyRequired)) parameters['requestBody'] = parseJson(bytes, options.json);
  validate(route, parameters);
  return { path, query: parameters['query'], body: parameters['requestBody'], bytes, context, header } as Request<unknown, unknown>;
}

const noBytes = Buffer.alloc(0);
async function bodyOf(request: ExpressRequest, route: OperationRoute, contract: MountedContract, options: MountOptions): Promise<Buffer> {
  const { operationId } = route;
  const types = route.requestTypes.includes('*/*') ? [mediaType(request.headers['content-type'])] : route.requestTypes;
  checkBodyHeaders(request, options.body, types, (error) => contract.refuse(error, { operationId }));
  return readBody(request, options.body);
}

/** Ids may hold any character but NUL; 1,024 bytes at most, which every index and file name downstream can take. */
function checkPath(params: ExpressRequest['params']): Record<string, string> {
  const path: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    const text = String(value);
    if (Buffer.byteLength(text) > 1_024)
      throw new BrokerError('bad-request', `${name} (path) is longer than 1024 bytes: use a shorter one`, { field: name });
    path[name] = text;
  }
  return path;
}

function queryOf(request: ExpressRequest, route: OperationRoute): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  const mark = request.url.indexOf('?');
  if (mark < 0 || route.queryParameters.size === 0) return query;
  const sent = new URLSearchParams(request.url.slice(mark + 1));
  for (const [name, isArray] of route.queryParameters) {
    const values = sent.getAll(name);
    if (values.length === 0) continue;
    if (values.some((value) => value.includes('\0') || value.includes('\ufffd')))
      throw new BrokerError('bad-request', `${name} (query) holds characters that are not allowed: percent-encode UTF-8 without NUL`, {
        field: name,
      });
    if (!isArray && values.length > 1)
      throw new BrokerError('bad-request', `${name} (query) is there twice: send it once`, { field: name });
    query[name] = isArray ? values.flatMap((value) => value.split(',')) : values[0];
  }
  return query;
}

function validate(route: OperationRoute, parameters: Record<string, unknown>): void {
  for (const check of route.validators) {
    if (!check(parameters)) throw new BrokerError('bad-request', describeProblems(check.errors ?? []));
  }
}

function toReply(error: unknown, contract: MountedContract, operationId: string | null, report: (error: unknown) => void): AnyReply {
  if (error instanceof Refusal) return error.reply;
  if (!(error instanceof BrokerError) || error.code === 'internal' || error.code === 'unavailable') report(error);
  const reply = contract.refuse(error, { operationId });
  const wait = error instanceof BrokerError ? error.context.retryAfterSeconds : undefined;
  const headers: OutgoingHttpHeaders = { ...reply.headers };
  if (wait !== undefined) headers['Retry-After'] = String(wait);
  if (reply.status === 401) headers['WWW-Authenticate'] = 'Basic realm="meshbroker", charset="UTF-8", Bearer realm="meshbroker"';
  const operation = error instanceof BrokerError ? error.context.operation : undefined;
  return { ...reply, headers, ...(operation === undefined ? {} : { operation }) };
}

interface Outside {
  readonly contract: MountedContract;
  readonly door: Door;
  readonly schemes: readonly string[];
}
async function refuseMethod(
  request: ExpressRequest,
  response: ExpressResponse,
  outside: Outside & { allow: readonly string[] },
): Promise<void> {
  const { contract, door, allow } = outside;
  const reply = await refuseOutside(request, response, outside, () => {
    const refused = contract.refuse(new BrokerError('not-found', `${request.method} is not possible here: use ${allow.join(' or ')}`), {
      operationId: null,
    });
    return { ...asMethodNotAllowed(refused), headers: { Allow: allow.join(', ') } };
  });
  door.finish(request, response, reply);
}
function asMethodNotAllowed(reply: AnyReply): AnyReply {
  if (reply.type === 'application/problem+json') return withStatus(reply, 405, 'Method not allowed');
  return { ...reply, status: 405, body: { ...(reply.body as Readonly<Record<string, unknown>>), error: 'MethodNotAllowed' } };
}

/** For everything below a contract's prefix that is no operation of it: authentication first, like everywhere (AUTH-05). */
export async function refuseOutside(
  request: ExpressRequest,
  response: ExpressResponse,
  { contract, door, schemes }: Outside,
  refused: () => AnyReply,
): Promise<AnyReply> {
  const exchange = exchangeOf(request);
  exchange.contract = contract.name;
  try {
    exchange.principal = await door.authenticate(request, response, schemes);
    return refused();
  } catch (error) {
    const reply = toReply(error, contract, null, (cause) => door.report(request, cause));
    if (reply.status === 403) door.deny(request, error);
    return reply;
  }
}
