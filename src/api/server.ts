import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import express from 'express';
import type { Express, NextFunction, Request as ExpressRequest, Response as ExpressResponse } from 'express';
import type { AccessChanges } from '../access/access-changes.ts';
import type { Authentication } from '../access/authentication.ts';
import type { DenialLog } from '../audit/denials.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { UsageIngestion } from '../usage/usage-port.ts';
import type { FailureLimit } from './authenticate.ts';
import { authenticator, schemes } from './authenticate.ts';
import type { AnyReply, MountedContract } from './contract.ts';
import { loadDocument } from './documents.ts';
import { catalogFastPath } from './catalog-fast-path.ts';
import type { CatalogPages } from './catalog-reply.ts';
import { doorOf, settler } from './door.ts';
import { beginExchange, exchangeOf, rememberExchange } from './exchange.ts';
import { ingestContract } from './ingest/contract.ts';
import { batchBody, smallBody } from './json-guard.ts';
import type { Door } from './mount.ts';
import { asMounted, mountContract, refuseOutside } from './mount.ts';
import type { PlatformServices } from './platform/contract.ts';
import { platformContract } from './platform/contract.ts';
import { withStatus } from './problem.ts';
import { PrincipalCache } from './principal-cache.ts';
import { maxHeaders, whyRefused } from './request-guard.ts';
import { securityHeaders } from './security-headers.ts';

export interface HttpSettings {
  /** PEM; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** As express takes it: false, true, a number of hops, or addresses. Decides what counts as the caller's address. */
  readonly trustProxy: boolean | number | string;
  readonly maxConnections: number;
  readonly failureLimit: FailureLimit;
}
export const defaultHttpSettings: HttpSettings = {
  tls: null,
  trustProxy: false,
  maxConnections: 2_000,
  failureLimit: { failures: 30, windowSeconds: 60 },
};

/** Everything the door opens onto; src/app.ts fills it. */
export interface HttpServerDeps extends PlatformServices {
  readonly logger: Logger;
  readonly random: Random;
  readonly settings: HttpSettings;
  readonly authentication: Authentication;
  readonly accessChanges: AccessChanges;
  readonly denials: DenialLog;
  readonly usageIngestion: UsageIngestion;
  readonly catalogPages: CatalogPages;
  /** `asMounted(osbContract(…))` of src/api/osb. */
  readonly osb: MountedContract;
}

const kib = 1_024;
const small = { limit: 64 * kib, gzip: false };
const bodies = {
  osb: { body: { ...small, unsupported: 400 }, json: smallBody },
  platform: { body: { ...small, unsupported: 415 }, json: smallBody },
  ingest: { body: { limit: 8 * kib * kib, gzip: true, unsupported: 415 }, json: batchBody },
} as const;

/** Attackers that trickle are cut after 10 to 32 s; good requests are not delayed by them. */
const options: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 5_000,
};

/** The HTTP door, not yet listening. Its middleware stands in `routes`, top to bottom, with the statuses each may answer. */
export async function createHttpServer(deps: HttpServerDeps): Promise<Server> {
  const documents = await Promise.all((['osb', 'platform', 'ingest'] as const).map(loadDocument));
  const [osb, platform, ingest] = documents;
  if (osb === undefined || platform === undefined || ingest === undefined) throw new Error('three documents are expected');
  const cache = new PrincipalCache();
  const stopListening = deps.accessChanges.onChange(() => cache.flush());
  const { authenticate } = authenticator({
    authentication: deps.authentication,
    cache,
    denials: deps.denials,
    limit: deps.settings.failureLimit,
  });
  const security = securityHeaders(deps.settings.tls !== null);
  const door = doorOf({ authenticate, denials: deps.denials, logger: deps.logger, metrics: deps.metrics, security });
  const contracts = {
    osb: deps.osb,
    platform: asMounted(platformContract(deps, documents)),
    ingest: asMounted(ingestContract(deps.usageIngestion)),
  };

  const app = express();
  app.disable('x-powered-by').disable('etag').set('trust proxy', deps.settings.trustProxy).set('query parser', false);
  app.enable('case sensitive routing').enable('strict routing');
  mountContract(app, osb, contracts.osb, bodies.osb, door); // 2xx, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 422, 429, 500, 503
  mountContract(app, ingest, contracts.ingest, bodies.ingest, door); // 200, 400, 401, 403, 405, 413, 415, 429, 500, 503
  mountContract(app, platform, contracts.platform, bodies.platform, door); // 2xx, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503
  refuseTheRest(app, contracts, door); // 401, 403, 429, 404; 400, 500 for what express throws

  const fast = catalogFastPath({ pages: deps.catalogPages, cache, security: security.api, settle: settler(deps.logger, deps.metrics) });
  const listener = firstSteps({ app, contracts, door, fast, newId: () => deps.random.uuid() });
  const server =
    deps.settings.tls === null ? createServer(options, listener) : createTlsServer({ ...options, ...deps.settings.tls }, listener);
  server.maxHeadersCount = maxHeaders + 1;
  server.maxConnections = deps.settings.maxConnections;
  server.once('close', stopListening);
  return server;
}

type Contracts = Readonly<Record<'osb' | 'platform' | 'ingest', MountedContract>>;
const contractOf = (contracts: Contracts, url: string): MountedContract =>
  url.startsWith('/v2/') || url === '/v2' ? contracts.osb : contracts.platform;

interface FirstSteps {
  readonly app: Express;
  readonly contracts: Contracts;
  readonly door: Door;
  readonly fast: ReturnType<typeof catalogFastPath>;
  readonly newId: () => string;
}
/** Before express: request id (always), ambiguous requests (400, 431), the catalogue for known credentials (200, 304). */
function firstSteps({ app, contracts, door, fast, newId }: FirstSteps): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const exchange = beginExchange(request, newId);
    const refused = whyRefused(request);
    if (refused === undefined && fast(request, response, exchange)) return;
    rememberExchange(request, exchange);
    if (refused === undefined) {
      app(request, response);
      return;
    }
    const reply = contractOf(contracts, request.url ?? '').refuse(new BrokerError('bad-request', refused.message), { operationId: null });
    const answer = refused.status === 431 ? withStatus(reply, 431, 'Headers too large') : reply;
    door.finish(request, response, { ...answer, headers: { ...answer.headers, Connection: 'close' } });
  };
}

/** 404 for what no document knows, below /v1 and /v2 only after authentication; then what express itself throws. */
function refuseTheRest(app: Express, contracts: Contracts, door: Door): void {
  app.use((request: ExpressRequest, response: ExpressResponse, next: NextFunction) => {
    const { path } = request;
    const contract = contractOf(contracts, path);
    const needed = contract.name === 'osb' ? ['platform'] : /^\/v1(?:\/|$)/.test(path) ? schemes : [];
    const refused = (): AnyReply =>
      contract.refuse(new BrokerError('not-found', `${request.method} ${path.slice(0, 200)} is not known here: see /docs`), {
        operationId: null,
      });
    refuseOutside(request, response, { contract, door, schemes: needed }, refused).then(
      (reply) => door.finish(request, response, reply),
      next,
    );
  });
  app.use((error: unknown, request: ExpressRequest, response: ExpressResponse, next: NextFunction) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const contract = contractOf(contracts, request.path);
    exchangeOf(request).contract = contract.name;
    const known =
      error instanceof URIError ? new BrokerError('bad-request', 'the path is not percent-encoded UTF-8: encode it again') : error;
    if (known === error) door.report(request, error);
    door.finish(request, response, contract.refuse(known, { operationId: null }));
  });
}
