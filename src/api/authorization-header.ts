const utf8 = new TextDecoder('utf-8', { fatal: true });
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const longest = 4_096;

/** Basic credentials (RFC 7617) in UTF-8, split at the first colon (AUTH-06). undefined: not that, or not well-formed. */
export function parseBasic(header: string): { readonly userName: string; readonly password: string } | undefined {
  const encoded = /^basic +(\S+)$/i.exec(header.slice(0, longest))?.[1];
  if (encoded === undefined || header.length > longest || !base64.test(encoded)) return undefined;
  try {
    const text = utf8.decode(Buffer.from(encoded, 'base64'));
    const colon = text.indexOf(':');
    if (colon < 1 || text.includes('\0')) return undefined;
    return { userName: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return undefined;
  }
}
/** A bearer token (RFC 6750 b64token). */
export function parseBearer(header: string): string | undefined {
  return header.length > longest ? undefined : /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
}
