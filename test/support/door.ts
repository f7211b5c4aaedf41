import type { AddressInfo } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import type { MountedContract } from '../../src/api/contract.ts';
import type { CatalogPages } from '../../src/api/catalog-reply.ts';
import { asMounted } from '../../src/api/mount.ts';
import { osbContract } from '../../src/api/osb/contract.ts';
import type { HttpServerDeps } from '../../src/api/server.ts';
import { createHttpServer, defaultHttpSettings } from '../../src/api/server.ts';
import type { CatalogRepresentation } from '../../src/catalog/representation.ts';
import { denialLog } from '../../src/audit/denials.ts';
import type { BindingService } from '../../src/bindings/binding-port.ts';
import type { InstanceService } from '../../src/instances/instance-port.ts';
import type { LogFields, Logger } from '../../src/kernel/logger.ts';
import { loadConfig } from '../../src/config.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { IncomingEvent } from '../../src/usage/usage-port.ts';
import { expectDocumented, fromFetch } from './expect-document.ts';
import { memoryAccess } from './memory-access.ts';
import { memoryTrail } from './memory-trail.ts';
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
/** The real OSB contract, but every operation except the catalogue answers what it was given: where only the door is looked at. */
function echoingContract(): MountedContract {
  const nobody = new Proxy({}, { get: () => () => Promise.reject(new Error('only the door is looked at')) });
  const real = asMounted(
    osbContract({ instances: nobody as InstanceService, bindings: nobody as BindingService, catalogPages, settings: loadConfig({}).osb }),
  );
  const echo: MountedContract['handlers'][string] = ({ path, query, body, context }) =>
    Promise.resolve({ status: 200, body: { path, query, body, context } });
  const handlers = Object.fromEntries(Object.entries(real.handlers).map(([id, handler]) => [id, id === 'catalog.get' ? handler : echo]));
  return { ...real, handlers };
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
    ...memoryInventory(), auditTrail: memoryTrail(access.audited),
    usageIngestion: {
      ingest(collector, events, refused = []) {
        ingested.push({ collector, events });
        const lines = refused.map(({ index, id, reason }) => ({ index, id, result: 'rejected' as const, reason }));
        return Promise.resolve({ accepted: events.length, duplicate: 0, conflict: 0, rejected: refused.length, events: lines });
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
    if (!path.startsWith('/v2/service_instances') || seen.status >= 400) expectDocumented(method, path, seen);
    const json = (): Record<string, unknown> => JSON.parse(seen.text) as Record<string, unknown>;
    return { ...seen, json };
  }
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...access, server, port, url, send, lines, ingested, denials, close };
}
