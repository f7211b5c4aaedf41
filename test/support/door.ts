import type { AddressInfo } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import type { MountedContract } from '../../src/api/contract.ts';
import type { CatalogPages } from '../../src/api/catalog-reply.ts';
import { catalogReply, minorOf } from '../../src/api/catalog-reply.ts';
import { Refusal } from '../../src/api/contract.ts';
import type { HttpServerDeps } from '../../src/api/server.ts';
import { createHttpServer, defaultHttpSettings } from '../../src/api/server.ts';
import type { CatalogRepresentation } from '../../src/catalog/representation.ts';
import { denialLog } from '../../src/audit/denials.ts';
import { BrokerError } from '../../src/kernel/errors.ts';
import type { LogFields, Logger } from '../../src/kernel/logger.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { IncomingEvent } from '../../src/usage/usage-port.ts';
import { expectDocumented, fromFetch } from './expect-document.ts';
import { memoryAccess } from './memory-access.ts';
import { memoryInventory } from './memory-inventory.ts';

export const catalogBody = Buffer.from('{"services":[]}');
const brotli = brotliCompressSync(catalogBody);
const versions = new Map<number, CatalogRepresentation>();
export const catalogPages: CatalogPages = {
  representation(minor) {
    const made = versions.get(minor) ?? {
      identity: catalogBody,
      br: brotli,
      etag: `"v1-${minor}"`,
      lastModified: new Date('2026-11-01T00:00:00Z'),
    };
    versions.set(minor, made);
    return made;
  },
};
/** Stands in for src/api/osb where only the door is looked at: every operation answers what it was given. */
function echoingContract(): MountedContract {
  const refuse: MountedContract['refuse'] = (error) => {
    const status = {
      unauthenticated: 401,
      forbidden: 403,
      'rate-limited': 429,
      'too-large': 413,
      'not-found': 404,
      'bad-request': 400,
    } as Record<string, number>;
    if (!(error instanceof BrokerError)) return { status: 500, body: { error: 'InternalError', description: 'the broker failed' } };
    return { status: status[error.code] ?? 500, body: { error: 'Refused', description: error.message } };
  };
  const echo =
    (status: number): MountedContract['handlers'][string] =>
    ({ path, query, body, context }) =>
      Promise.resolve({ status, body: { path, query, body, context } });
  const handlers = new Proxy(
    {},
    {
      get: (_, operation) => {
        if (operation !== 'catalog.get') return echo(200);
        return (request: Parameters<MountedContract['handlers'][string]>[0]) =>
          Promise.resolve(catalogReply(catalogPages, (request.context as { minor: number }).minor, request.header));
      },
    },
  );
  return {
    name: 'osb', handlers, refuse,
    enter({ header, requestId, principal }) {
      const minor = minorOf(header('x-broker-api-version'));
      if (minor === undefined) throw new Refusal({ status: 412, body: { error: 'PreconditionFailed', description: 'X-Broker-API-Version: send 2.17' } });
      return { requestId, principal, minor };
    },
  }; // prettier-ignore
}

export interface Sent {
  readonly method?: string;
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}
/** The real HTTP server over a real port; everything behind the door is in memory. */
export async function openDoor(change: (deps: HttpServerDeps) => Partial<HttpServerDeps> = () => ({})) {
  const access = await memoryAccess();
  const lines: LogFields[] = [];
  const log = (fields: LogFields, message: string): void => void lines.push({ ...fields, message });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const ingested: { collector: string; events: readonly IncomingEvent[] }[] = [];
  const denials = denialLog(access.audit, logger);
  const deps: HttpServerDeps = {
    logger, random: systemRandom, clock: { now: () => new Date('2026-11-23T10:20:30Z') }, settings: defaultHttpSettings,
    authentication: access.authentication, accessChanges: access.changes, denials, platforms: access.platforms,
    osb: echoingContract(), catalogPages,
    ...memoryInventory(),
    usageIngestion: {
      ingest(collector, events) {
        ingested.push({ collector, events });
        return Promise.resolve({ accepted: events.length, duplicate: 0, conflict: 0, rejected: 0, events: [] });
      },
    },
    certificates: { trustBundle: () => Promise.resolve({ keys: [] }) },
    readiness: { check: () => Promise.resolve({ ready: true, checks: [{ name: 'database', ok: true, reasons: [] }] }) },
    metrics: { request: () => undefined, expose: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' }) },
  }; // prettier-ignore
  const server = await createHttpServer({ ...deps, ...change(deps) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  /** Every answer is held against the documents. */
  async function send(path: string, { method = 'GET', as, headers = {}, body }: Sent = {}) {
    const isText = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(as === undefined ? {} : { authorization: as }),
        ...(isText ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
    });
    const seen = await fromFetch(response);
    if (!path.startsWith('/v2')) expectDocumented(method, path, seen);
    const json = (): Record<string, unknown> => JSON.parse(seen.text) as Record<string, unknown>;
    return { ...seen, json };
  }
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...access, server, port, url, send, lines, ingested, denials, close };
}
