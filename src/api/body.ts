import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { AnyReply } from './contract.ts';
import { Refusal } from './contract.ts';
import { BrokerError } from '../kernel/errors.ts';
import { unsupportedMediaType } from './problem.ts';

export interface BodyRules {
  /** Bytes, after inflation. */
  readonly limit: number;
  readonly gzip: boolean;
  /** Status for a media type or encoding that is not taken: OSB says 400 (GEN-06), HTTP says 415. */
  readonly unsupported: 400 | 415;
}
/** What is read and thrown away of a body that is too large, so that the sender gets to see the 413. */
const drainLimit = 16 * 1024 * 1024;
const inflate = promisify(gunzip);

const tooLarge = (limit: number): BrokerError => new BrokerError('too-large', `the body is larger than ${limit} bytes: send less`);
function unsupported(rules: BodyRules, message: string, refuse: (error: BrokerError) => AnyReply): Error {
  const error = new BrokerError('bad-request', message);
  return rules.unsupported === 400 ? error : new Refusal(unsupportedMediaType(refuse(error)));
}

/** `application/json` of `application/json; charset=utf-8`, lower case; '' where there is none. */
export const mediaType = (header: string | undefined): string => (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

const encodingOf = (request: IncomingMessage): string => (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();

/** Refuses encodings, media types and charsets that are not taken, before anything is read. */
export function checkBodyHeaders(
  request: IncomingMessage,
  rules: BodyRules,
  types: readonly string[],
  refuse: (error: BrokerError) => AnyReply,
): void {
  const encoding = encodingOf(request);
  if (encoding !== 'identity' && !(rules.gzip && encoding === 'gzip')) {
    throw unsupported(
      rules,
      `Content-Encoding: send the body ${rules.gzip ? 'as it is or with gzip' : 'as it is, without an encoding'}`,
      refuse,
    );
  }
  const header = request.headers['content-type']?.trim() ?? '';
  if (header === '') return;
  if (!types.includes(mediaType(header))) throw unsupported(rules, `Content-Type: send ${types.join(' or ')}`, refuse);
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(header)?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) throw unsupported(rules, 'Content-Type: send the body with charset utf-8', refuse);
}

/** The whole body, inflated. too-large beyond the limit. */
export async function readBody(request: IncomingMessage, rules: BodyRules): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > drainLimit) throw tooLarge(rules.limit);
  const bytes = await collect(request, rules.limit);
  if (encodingOf(request) !== 'gzip' || !rules.gzip) return bytes;
  try {
    return await inflate(bytes, { maxOutputLength: rules.limit });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(rules.limit);
    throw new BrokerError('bad-request', 'the body is not valid gzip: compress it again or send it as it is');
  }
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= limit) chunks.push(chunk);
      else chunks.length = 0;
      if (size > drainLimit) {
        request.pause();
        reject(tooLarge(limit));
      }
    });
    request.on('end', () =>
      size > limit ? reject(tooLarge(limit)) : resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    const endedEarly = (): void => reject(new BrokerError('bad-request', 'the body ended early: send it again'));
    request.on('error', endedEarly);
    request.on('close', () => {
      if (!request.complete) endedEarly();
    });
  });
}
