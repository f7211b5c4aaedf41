import type { CatalogRepresentation } from '../catalog/representation.ts';
import type { ReplyHeaders } from './contract.ts';

export type CatalogEncoding = 'identity' | 'gzip' | 'br';
/** The catalogue as bytes, made once per version of it (src/catalog); compressed forms may not be there yet. */
export interface CatalogPages {
  /** `apiMinor`: the OSB minor version to answer in (INT-01). */
  representation(apiMinor: number): CatalogRepresentation;
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
function isFresh({ etag, lastModified }: Page, ifNoneMatch: string | undefined, ifModifiedSince: string | undefined): boolean {
  if (ifNoneMatch !== undefined)
    return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  if (ifModifiedSince === undefined) return false;
  const since = Date.parse(ifModifiedSince);
  return !Number.isNaN(since) && lastModified.getTime() <= since;
}

/** One encoding of one version of the catalogue, with its headers; the same object as long as nothing changes. */
export interface Page {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly lastModified: Date;
  readonly headers: ReplyHeaders;
}
const pages = new WeakMap<CatalogRepresentation, Partial<Record<CatalogEncoding, Page>>>();
function pageOf(representation: CatalogRepresentation, wanted: CatalogEncoding): Page {
  const body = representation[wanted];
  if (body === undefined) return pageOf(representation, 'identity');
  let known = pages.get(representation);
  if (known === undefined) {
    known = {};
    pages.set(representation, known);
  }
  return (known[wanted] ??= makePage(representation, body, wanted));
}
/** Revalidated each time: a platform asks rarely and must see a change at once. */
function makePage({ etag: plain, lastModified }: CatalogRepresentation, body: Uint8Array, encoding: CatalogEncoding): Page {
  const etag = encoding === 'identity' ? plain : `${plain.slice(0, -1)}-${encoding}"`;
  const headers: ReplyHeaders = {
    'Cache-Control': 'private, no-cache',
    ETag: etag,
    'Last-Modified': lastModified.toUTCString(),
    Vary: 'Accept-Encoding, Authorization, X-Broker-API-Version',
    ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
  };
  return { body, etag, lastModified, headers };
}

export interface ChosenPage {
  readonly page: Page;
  /** The client has it: 304. */
  readonly fresh: boolean;
}
export function choosePage(catalog: CatalogPages, apiMinor: number, header: (name: string) => string | undefined): ChosenPage {
  const page = pageOf(catalog.representation(apiMinor), negotiateEncoding(header('accept-encoding')));
  return { page, fresh: isFresh(page, header('if-none-match'), header('if-modified-since')) };
}

export type CatalogReply =
  | { readonly status: 200; readonly type: 'application/json'; readonly raw: Uint8Array; readonly headers: ReplyHeaders }
  | { readonly status: 304; readonly headers: ReplyHeaders };
/** What the operation catalog.get answers; the fast path writes the same. */
export function catalogReply(catalog: CatalogPages, apiMinor: number, header: (name: string) => string | undefined): CatalogReply {
  const { page, fresh } = choosePage(catalog, apiMinor, header);
  return fresh ? { status: 304, headers: page.headers } : { status: 200, type: 'application/json', raw: page.body, headers: page.headers };
}
