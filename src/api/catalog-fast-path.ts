import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { CatalogPages, ChosenPage, Page } from './catalog-reply.ts';
import { choosePage, minorOf } from './catalog-reply.ts';
import type { Exchange } from './exchange.ts';
import type { PrincipalCache } from './principal-cache.ts';
import type { settler } from './door.ts';

export interface FastPathDeps {
  readonly pages: CatalogPages;
  readonly cache: PrincipalCache;
  readonly security: OutgoingHttpHeaders;
  readonly settle: ReturnType<typeof settler>;
}

/**
 * GET /v2/catalog for a platform whose credential was seen in the last seconds: no express, no validation (there is nothing to
 * validate), bytes that are ready. Answers false for every request with anything unusual, which then goes the whole way; what it
 * answers is byte for byte what the whole way answers.
 */
export function catalogFastPath({
  pages,
  cache,
  security,
  settle,
}: FastPathDeps): (request: IncomingMessage, response: ServerResponse, exchange: Exchange) => boolean {
  const heads = new WeakMap<Page, readonly [ok: string[], fresh: string[]]>();
  const headOf = (chosen: ChosenPage): string[] => {
    const made = heads.get(chosen.page) ?? ([headLines(chosen, security, true), headLines(chosen, security, false)] as const);
    heads.set(chosen.page, made);
    return chosen.fresh ? made[1] : made[0];
  };
  return (request, response, exchange) => {
    if (request.url !== '/v2/catalog' || request.method !== 'GET') return false;
    const { headers } = request;
    const minor = minorOf(headers['x-broker-api-version'] as string | undefined);
    if (minor === undefined || headers['x-broker-api-originating-identity'] !== undefined) return false;
    const principal = cache.get(headers.authorization ?? '', request.socket);
    if (principal?.kind !== 'platform') return false;
    const chosen = choosePage(pages, minor, (name) => headers[name] as string | undefined);
    const head = headOf(chosen).slice();
    if (exchange.echo !== null) head.push('X-Broker-API-Request-Identity', exchange.echo);
    head.push('X-Request-Id', exchange.requestId);
    exchange.contract = 'osb';
    exchange.operationId = 'catalog.get';
    exchange.principal = principal;
    const status = chosen.fresh ? 304 : 200;
    response.writeHead(status, head);
    if (chosen.fresh) response.end();
    else response.end(chosen.page.body);
    settle(exchange, 'GET', { status });
    return true;
  };
}

function headLines(chosen: ChosenPage, security: OutgoingHttpHeaders, withBody: boolean): string[] {
  const body = withBody ? { 'Content-Type': 'application/json', 'Content-Length': String(chosen.page.body.byteLength) } : {};
  return Object.entries({ ...security, ...chosen.page.headers, ...body }).flatMap(([name, value]) => [name, String(value)]);
}
