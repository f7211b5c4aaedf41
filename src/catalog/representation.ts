import { createHash } from 'node:crypto';
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
/** Bytes joined between two looks at the clock. */
const sliceBytes = 262_144;

/** Texts of services by gate: an offering that has not changed is not serialised again. */
type Texts = Map<CatalogGate, string>;
const known = new WeakMap<ServiceOffering, { readonly publicUrl: string; readonly texts: Texts }>();
function textOf(offering: ServiceOffering, gate: CatalogGate, publicUrl: string): string {
  let cached = known.get(offering);
  if (cached?.publicUrl !== publicUrl) {
    cached = { publicUrl, texts: new Map() };
    known.set(offering, cached);
  }
  let text = cached.texts.get(gate);
  if (text === undefined) {
    text = serviceJson(offering, gate, publicUrl);
    cached.texts.set(gate, text);
  }
  return text;
}
async function build(listed: readonly ShelfOffering[], gate: CatalogGate, publicUrl: string): Promise<{ identity: Buffer; etag: string }> {
  const breathe = breathing();
  const digest = createHash('sha256');
  const slices: Buffer[] = [];
  let slice = '{"services":[';
  const flush = (): void => {
    const bytes = Buffer.from(slice);
    digest.update(bytes);
    slices.push(bytes);
    slice = '';
  };
  for (const [index, { offering }] of listed.entries()) {
    await breathe();
    slice += `${index === 0 ? '' : ','}${textOf(offering, gate, publicUrl)}`;
    if (slice.length > sliceBytes) flush();
  }
  slice += ']}';
  flush();
  const identity = slices.length === 1 ? (slices[0] ?? Buffer.alloc(0)) : Buffer.concat(slices);
  return { identity, etag: `"${digest.digest('base64url')}"` };
}
/** Serialises the catalogue once for every gate, without delaying other work. */
export async function buildRepresentations(
  listed: readonly ShelfOffering[],
  publicUrl: string,
  lastModified: Date,
): Promise<{ readonly forVersion: CatalogRepresentations; compress(superseded: () => boolean): Promise<void> }> {
  const built = new Map<CatalogGate, CatalogRepresentation>();
  for (const gate of catalogGates) built.set(gate, { ...(await build(listed, gate, publicUrl)), lastModified });
  const forVersion = (apiMinor: number): CatalogRepresentation => {
    const found = built.get(gateFor(apiMinor));
    if (found === undefined) throw new Error('every gate is built');
    return found;
  };
  return {
    forVersion,
    /** Newest gate first, one at a time on the thread pool; stops when a newer catalogue makes it pointless. */
    async compress(superseded) {
      for (const gate of catalogGates.toReversed()) {
        if (superseded()) return;
        const { identity } = forVersion(gate);
        const best = identity.length <= bestCompressionUpTo;
        const small = await compressGzip(identity, { level: best ? 9 : 6 });
        built.set(gate, { ...forVersion(gate), gzip: small });
        const smaller = await compressBrotli(identity, {
          params: { [constants.BROTLI_PARAM_QUALITY]: best ? 11 : 5, [constants.BROTLI_PARAM_SIZE_HINT]: identity.length },
        });
        built.set(gate, { ...forVersion(gate), br: smaller });
      }
    },
  };
}
