import type { IncomingMessage } from 'node:http';

export interface GuardRefusal {
  readonly status: 400 | 431;
  readonly message: string;
}
/** Headers of one request; the server lets one more through, so that too many are refused and not silently cut. */
export const maxHeaders = 64;

/**
 * What Node's parser lets through and two parties may read differently: refused before routing, and the connection is closed.
 * Two Authorization headers are made into one that fits nobody.
 */
export function whyRefused(request: IncomingMessage): GuardRefusal | undefined {
  const { rawHeaders } = request;
  const { hosts, authorizations } = countAmbiguous(rawHeaders);
  if (rawHeaders.length > 2 * maxHeaders) return { status: 431, message: `send at most ${maxHeaders} headers` };
  if (authorizations > 1) request.headers.authorization = 'ambiguous';
  if (hosts > 1) return bad('Host is there twice: send it once');
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return bad('Transfer-Encoding: only chunked is taken');
  return whyTargetIsRefused(request.url ?? '');
}
function countAmbiguous(rawHeaders: readonly string[]): { readonly hosts: number; readonly authorizations: number } {
  let hosts = 0;
  let authorizations = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    else if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
  }
  return { hosts, authorizations };
}
const bad = (message: string): GuardRefusal => ({ status: 400, message });

function whyTargetIsRefused(target: string): GuardRefusal | undefined {
  if (!target.startsWith('/')) return bad('the request target must begin with /: send the path only');
  if (!/^[\x21\x22\x24-\x7e]*$/.test(target)) return bad('the request target holds characters that must be percent-encoded');
  if (!target.includes('%')) return undefined;
  const path = target.split('?', 1)[0] ?? '';
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return bad('the path holds a % that begins no percent-encoded byte: encode it as %25');
  if (path.includes('%00')) return bad('the path holds the character NUL (%00): remove it');
  try {
    decodeURIComponent(path);
  } catch {
    return bad('the path is not percent-encoded UTF-8: encode it again');
  }
  return undefined;
}
