import { BrokerError } from '../../kernel/errors.ts';
import type { RequestContext } from '../contract.ts';

/** For the audit row: `admin:token-name`. */
export function actorOf({ principal }: RequestContext): string {
  if (principal === null) throw new BrokerError('unauthenticated', 'Authorization: send the token of an admin');
  return `${principal.kind}:${principal.name}`;
}
/** null: an admin, who sees everything. A platform sees its own only. */
export function scopeOf({ principal }: RequestContext): string | null {
  if (principal?.kind === 'platform') return principal.platformId;
  if (principal?.kind === 'admin') return null;
  throw new BrokerError('forbidden', 'use the credentials of a platform or the token of an admin');
}
