import { hash } from 'node:crypto';
import type { Request, Response } from 'express';
import { Passport } from 'passport';
import { Strategy } from 'passport-custom';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Authenticated, Authentication } from '../access/authentication.ts';
import { looksLikeSecret } from '../access/credential.ts';
import type { Principal } from '../access/principal.ts';
import type { Asked, Denial, DenialLog } from '../audit/denials.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { PrincipalCache } from './principal-cache.ts';
import { parseBasic, parseBearer } from './authorization-header.ts';
import { exchangeOf } from './exchange.ts';

/** The security schemes of the documents; each has a passport strategy of its name and lets in principals of its kind. */
export const schemes = ['platform', 'admin', 'collector'] as const satisfies readonly Principal['kind'][];

export interface FailureLimit {
  /** Wrong credentials of one name from one address within the window that are answered 401; then 429. */
  readonly failures: number;
  readonly windowSeconds: number;
}
export interface AuthenticatorDeps {
  readonly authentication: Authentication;
  readonly cache: PrincipalCache;
  readonly denials: DenialLog;
  readonly limit: FailureLimit;
}
export interface Authenticator {
  /** null where no scheme is asked for. Throws unauthenticated, rate-limited, or forbidden for a good credential of another kind. */
  readonly authenticate: (request: Request, response: Response, allowed: readonly string[]) => Promise<Principal | null>;
}

export function authenticator({ authentication, cache, denials, limit }: AuthenticatorDeps): Authenticator {
  const ask = passportWith(authentication);
  const failures = new RateLimiterMemory({ points: limit.failures, duration: limit.windowSeconds });
  async function identify(request: Request, response: Response): Promise<Principal> {
    const header = authorizationOf(request);
    const cached = cache.get(header);
    if (cached !== undefined) return cached;
    const generation = cache.generation;
    const found = await ask(request, response);
    if (found !== undefined) {
      cache.put(header, found, generation);
      return found.principal;
    }
    const name = claimedName(header);
    const wait = header === '' ? undefined : await secondsToWait(failures, `${hash('sha256', name)}|${request.ip ?? ''}`);
    denials.record(denialOf(request, name, wait === undefined ? 401 : 429));
    if (wait === undefined)
      throw new BrokerError('unauthenticated', 'Authorization: send the user name and password of a platform (Basic) or a token (Bearer)');
    throw new BrokerError('rate-limited', `too many wrong credentials: wait ${wait} seconds`, { retryAfterSeconds: wait });
  }

  return {
    async authenticate(request, response, allowed) {
      if (allowed.length === 0) return null;
      const principal = await identify(request, response);
      if (allowed.includes(principal.kind)) return principal;
      // Named in the log line and the audit row of the refusal.
      exchangeOf(request).principal = principal;
      throw new BrokerError(
        'forbidden',
        `Authorization: ${credentialOf(principal.kind)} is not taken here: use ${[...new Set(allowed)].map(credentialOf).join(' or ')}`,
      );
    },
  };
}

const credentials: Readonly<Record<string, string>> = {
  platform: 'the user name and password of a platform',
  admin: 'the token of an admin',
  collector: 'the token of a collector',
};
const credentialOf = (scheme: string): string => credentials[scheme] ?? scheme;

/** '' where there is none (request-guard.ts has dealt with two). */
const authorizationOf = (request: { readonly headers: Request['headers'] }): string => request.headers.authorization ?? '';

/** What the audit log keeps of a refused request. */
export function denialOf(request: Request, actor: string, status: number, asked: Asked | null = null): Denial {
  const { operationId, requestId } = exchangeOf(request);
  return { actor, address: request.ip ?? 'unknown', operationId, status, requestId, asked };
}

function passportWith(authentication: Authentication): (request: Request, response: Response) => Promise<Authenticated | undefined> {
  const passport = new Passport();
  const look = {
    platform: (header: string) => {
      const basic = parseBasic(header);
      return basic === undefined ? undefined : authentication.password(basic.userName, basic.password);
    },
    admin: (header: string) => bearer(header),
    collector: (header: string) => bearer(header),
  };
  const bearer = (header: string): Promise<Authenticated | undefined> | undefined => {
    const token = parseBearer(header);
    return token === undefined ? undefined : authentication.bearer(token);
  };
  for (const scheme of schemes) {
    const strategy = new Strategy((request, done) => {
      Promise.resolve(look[scheme](authorizationOf(request))).then(
        (found) => done(null, found?.principal.kind === scheme ? found : false),
        (error: unknown) => done(error),
      );
    });
    passport.use(scheme, strategy);
  }
  return (request, response) =>
    new Promise((resolve, reject) => {
      const settle = (error: unknown, found: Authenticated | false | null | undefined): void => {
        if (error !== null && error !== undefined)
          reject(error instanceof Error ? error : new Error('authentication failed', { cause: error }));
        else resolve(found === false || found === null ? undefined : found);
      };
      const middleware = passport.authenticate([...schemes], { session: false }, settle) as (
        request: Request,
        response: Response,
        next: (error: unknown) => void,
      ) => void;
      middleware(request, response, (error) => settle(error ?? new Error('passport gave up'), false));
    });
}

/** What a denial may call the sender: the claimed user name, unless it may be a secret in the wrong place. */
function claimedName(header: string): string {
  const name = parseBasic(header)?.userName;
  if (name === undefined) return header === '' ? 'anonymous' : 'unknown';
  return /^[\w.@-]{1,63}$/.test(name) && !looksLikeSecret(name) ? `claimed:${name}` : 'unknown';
}

/** undefined: answer 401 as yet. */
async function secondsToWait(failures: RateLimiterMemory, key: string): Promise<number | undefined> {
  try {
    await failures.consume(key);
    return undefined;
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    return Math.max(1, Math.ceil(refused.msBeforeNext / 1_000));
  }
}
