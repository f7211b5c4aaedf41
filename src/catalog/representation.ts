import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { breathing } from './breathe.ts';
import { catalogGates, gateFor, serviceJson } from './catalog-json.ts';
import type { CatalogGate } from './catalog-json.ts';
import type { ServiceOffering, ShelfOffering } from './offering.ts';

/** GET /v2/catalog ready to be sent. The compressed forms appear a moment after the catalogue has changed. */
export interface CatalogRepresentation {
  readonly identity: Buffer;
  readonly gzip?: Buffer;
  readonly br?: Buffer;
  /** Strong entity tag of `identity` with its quotes. Other encodings need one of their own: put a suffix before the last quote. */
  readonly etag: string;
  /** In whole seconds, later for each version of the catalogue. */
  readonly lastModified: Date;
}
export type CatalogRepresentations = (apiMinor: number) => CatalogRepresentation;

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);
/** Above it the best compression would keep a core busy for seconds. */
const bestCompressionUpTo = 1_048_576;

/** A service's part of the body at one gate. */
interface Part {
  readonly bytes: Buffer;
  readonly digest: string;
}
/** An offering that has not changed is not serialised again. */
const known = new WeakMap<ServiceOffering, { readonly publicUrl: string; readonly parts: Map<CatalogGate, Part> }>();
function partOf(offering: ServiceOffering, gate: CatalogGate, publicUrl: string): Part {
  let cached = known.get(offering);
  if (cached?.publicUrl !== publicUrl) {
    cached = { publicUrl, parts: new Map() };
    known.set(offering, cached);
  }
  let part = cached.parts.get(gate);
  if (part === undefined) {
    const bytes = Buffer.from(serviceJson(offering, gate, publicUrl));
    part = { bytes, digest: hash('sha256', bytes) };
    cached.parts.set(gate, part);
  }
  return part;
}
/** Serialises offerings ahead of the representations of these gates, which then are only joined. */
export async function prepareRepresentations(
  offerings: readonly ServiceOffering[],
  publicUrl: string,
  gates: Iterable<CatalogGate>,
): Promise<void> {
  const breathe = breathing();
  for (const offering of offerings) {
    for (const gate of gates) partOf(offering, gate, publicUrl);
    await breathe();
  }
}
const [start, comma, end] = [Buffer.from('{"services":['), Buffer.from(','), Buffer.from(']}')];

/** The tag is a digest of the parts' digests: as strong as one of the body, without reading the whole body again for one change. */
function join(parts: readonly Part[]): { readonly identity: Buffer; readonly etag: string } {
  const pieces = [start, ...parts.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [comma, bytes])), end];
  return { identity: Buffer.concat(pieces), etag: `"${hash('sha256', parts.map(({ digest }) => digest).join(' '), 'base64url')}"` };
}
/**
 * Serialises the catalogue once for each of the gates in use, without delaying other work; `complete` sees to the other ones. Whoever asks
 * for one in between waits for the making of it.
 */
export async function buildRepresentations(
  listed: readonly ShelfOffering[],
  publicUrl: string,
  lastModified: Date,
  inUse: ReadonlySet<CatalogGate>,
): Promise<{ readonly forVersion: CatalogRepresentations; complete(superseded: () => boolean): Promise<void> }> {
  const built = new Map<CatalogGate, CatalogRepresentation>();
  const offerings = listed.map(({ offering }) => offering);
  const at = (gate: CatalogGate): CatalogRepresentation => {
    const known = built.get(gate) ?? { ...join(offerings.map((offering) => partOf(offering, gate, publicUrl))), lastModified };
    built.set(gate, known);
    return known;
  };
  await prepareRepresentations(offerings, publicUrl, inUse);
  for (const gate of inUse) {
    at(gate);
    await nextTurn();
  }
  return {
    forVersion: (apiMinor) => at(gateFor(apiMinor)),
    /** Every gate and its compressed forms, newest first, one at a time on the thread pool; stops when a newer catalogue makes it pointless. */
    async complete(superseded) {
      for (const gate of catalogGates.toReversed()) {
        if (superseded()) return;
        await prepareRepresentations(offerings, publicUrl, [gate]);
        const { identity } = at(gate);
        const best = identity.length <= bestCompressionUpTo;
        const small = await compressGzip(identity, { level: best ? 9 : 6 });
        built.set(gate, { ...at(gate), gzip: small });
        const smaller = await compressBrotli(identity, {
          params: { [constants.BROTLI_PARAM_QUALITY]: best ? 11 : 5, [constants.BROTLI_PARAM_SIZE_HINT]: identity.length },
        });
        built.set(gate, { ...at(gate), br: smaller });
      }
    },
  };
}
