import type { ReplyHeaders } from './contract.ts';

export type CatalogEncoding = 'identity' | 'gzip' | 'br';
/** GET /v2/catalog as bytes, made once per version of the catalogue. */
export interface CatalogPage {
  readonly body: Uint8Array;
  /** Strong and quoted; another one for each gate and encoding. */
  readonly etag: string;
  readonly lastModified: Date;
}
/** Serialised catalogues; src/catalog makes them. */
export interface CatalogPages {
  /** `minor`: the OSB minor version to answer in, 11 to 17 (INT-01). undefined: this encoding is not ready, take identity. */
  representation(minor: number, encoding: CatalogEncoding): CatalogPage | undefined;
}

const newestMinor = 17;
const oldestMinor = 11;
/** The minor version of a plain `2.x` header that we speak, newer ones as the newest; undefined for everything else (VER-03). */
export function minorOf(version: string | undefined): number | undefined {
  const minor = /^2\.(\d{1,4})$/.exec(version ?? '')?.[1];
  return minor === undefined || Number(minor) < oldestMinor ? undefined : Math.min(Number(minor), newestMinor);
}

const known = new Map<string, CatalogEncoding>();
/** br, gzip or identity, whichever Accept-Encoding rates highest, in this order among equals (RFC 9110 12.5.3). */
export function negotiateEncoding(accept: string | undefined): CatalogEncoding {
  if (accept === undefined || accept === '') return 'identity';
  const before = known.get(accept);
  if (before !== undefined) return before;
  const chosen = chooseEncoding(accept);
  if (known.size < 256) known.set(accept, chosen);
  return chosen;
}
function chooseEncoding(accept: string): CatalogEncoding {
  const weights = weightsOf(accept);
  const others = weights.get('*') ?? 0;
  const br = weights.get('br') ?? others;
  const gzip = weights.get('gzip') ?? others;
  // Not named, identity is still welcome, but less than anything that is.
  const identity = weights.get('identity') ?? weights.get('*') ?? 0.001;
  if (br > 0 && br >= gzip && br >= identity) return 'br';
  return gzip > 0 && gzip >= identity ? 'gzip' : 'identity';
}
function weightsOf(accept: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim());
    const quality = parameters.find((text) => text.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (coding !== '' && !Number.isNaN(weight)) weights.set(coding, weight);
  }
  return weights;
}

/** RFC 9110 13.2.2: If-None-Match (weak comparison) decides alone where it is sent; else If-Modified-Since. */
export function isFresh(page: CatalogPage, ifNoneMatch: string | undefined, ifModifiedSince: string | undefined): boolean {
  if (ifNoneMatch !== undefined)
    return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === page.etag);
  if (ifModifiedSince === undefined) return false;
  const since = Date.parse(ifModifiedSince);
  return !Number.isNaN(since) && Math.floor(page.lastModified.getTime() / 1_000) * 1_000 <= since;
}

export interface ChosenPage {
  readonly page: CatalogPage;
  readonly encoding: CatalogEncoding;
  readonly fresh: boolean;
}
export function choosePage(pages: CatalogPages, minor: number, header: (name: string) => string | undefined): ChosenPage | undefined {
  const wanted = negotiateEncoding(header('accept-encoding'));
  const encoded = wanted === 'identity' ? undefined : pages.representation(minor, wanted);
  const page = encoded ?? pages.representation(minor, 'identity');
  if (page === undefined) return undefined;
  const fresh = isFresh(page, header('if-none-match'), header('if-modified-since'));
  return { page, encoding: encoded === undefined ? 'identity' : wanted, fresh };
}
/** Revalidated each time: a platform asks rarely and must see a change at once. */
export function catalogHeaders({ page, encoding }: ChosenPage): ReplyHeaders {
  return {
    'Cache-Control': 'private, no-cache',
    ETag: page.etag,
    'Last-Modified': page.lastModified.toUTCString(),
    Vary: 'Accept-Encoding, X-Broker-API-Version, Authorization',
    ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
  };
}

export type CatalogReply =
  | { readonly status: 200; readonly type: 'application/json'; readonly raw: Uint8Array; readonly headers: ReplyHeaders }
  | { readonly status: 304; readonly headers: ReplyHeaders };
/** What the operation catalog.get answers; the fast path writes the same. undefined: there is no catalogue yet. */
export function catalogReply(pages: CatalogPages, minor: number, header: (name: string) => string | undefined): CatalogReply | undefined {
  const chosen = choosePage(pages, minor, header);
  if (chosen === undefined) return undefined;
  const headers = catalogHeaders(chosen);
  return chosen.fresh ? { status: 304, headers } : { status: 200, type: 'application/json', raw: chosen.page.body, headers };
}
