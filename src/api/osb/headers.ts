import { BrokerError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Caller } from '../../operations/operation-port.ts';
import { minorOf } from '../catalog-reply.ts';
import { Refusal } from '../contract.ts';

export type MissingApiVersion = 412 | 400 | 'accept';
const newest = 17;

/** The OSB minor version to answer in (VER-01 to VER-03); throws a Refusal with 412, or as the setting says when it is missing. */
export function apiMinorOf(header: string | undefined, missing: MissingApiVersion): number {
  if (header === undefined || header === '') {
    if (missing === 'accept') return newest;
    throw versionRefusal(missing, 'X-Broker-API-Version: this header is required; send 2.17');
  }
  const minor = minorOf(header);
  if (minor === undefined) throw versionRefusal(412, 'X-Broker-API-Version: only 2.11 and newer 2.x are supported; send 2.17');
  return minor;
}
const versionRefusal = (status: 412 | 400, description: string): Refusal =>
  new Refusal(
    {
      status,
      headers: { 'Cache-Control': 'no-store' },
      body: { error: status === 412 ? 'UnsupportedApiVersion' : 'BadRequest', description },
    },
    description,
  );

/** OID-02, OID-04: `<platform> <base64 of a JSON object>`, decoded for the audit; bad-request when malformed. */
export function originatingIdentityOf(header: string | undefined): JsonObject | null {
  if (header === undefined || header === '') return null;
  const [platform, encoded, ...more] = header.trim().split(/ +/);
  const value = encoded === undefined || more.length > 0 ? undefined : decode(encoded);
  if (platform === undefined || value === undefined) {
    throw new BrokerError('bad-request', 'X-Broker-API-Originating-Identity: send a platform name, a space, and base64 of a JSON object');
  }
  return { platform, value };
}
function decode(encoded: string): JsonObject | undefined {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'), (key, item: unknown) =>
      key === '__proto__' || (typeof item === 'string' && item.includes('\0')) ? undefined : item,
    );
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** OID-03: the request's context should be of the platform that the identity names; where it is not, the request is served all the same. */
export function warnOfOtherPlatform(
  logger: Logger | undefined,
  { originatingIdentity, requestId }: Caller,
  context: JsonObject | null,
): void {
  const named = originatingIdentity?.['platform'];
  const own = context?.['platform'];
  if (named === undefined || own === undefined || named === own) return;
  logger?.warn({ requestId, identity: named, context: own }, 'X-Broker-API-Originating-Identity names another platform than the context');
}
