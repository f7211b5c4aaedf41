import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Headers that protect whoever looks at an answer in a browser. Made once: they are the same for every request. */
export interface SecurityHeaders {
  /** As few as do the job: each costs 0.4 µs of the 20 µs that an answer takes (2026-11-24). */
  readonly api: OutgoingHttpHeaders;
  /** For the pages of /docs: their own style sheet, nothing else. */
  readonly html: OutgoingHttpHeaders;
}
export function securityHeaders(tls: boolean): SecurityHeaders {
  const nothing = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
  const page = { ...nothing, styleSrc: ["'self'"], imgSrc: ['data:'], baseUri: ["'none'"], formAction: ["'none'"] };
  return { api: collect(tls, nothing, false), html: collect(tls, page, true) };
}

function collect(tls: boolean, directives: Record<string, string[]>, isPage: boolean): OutgoingHttpHeaders {
  const middleware = helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    strictTransportSecurity: tls,
    referrerPolicy: isPage ? { policy: 'no-referrer' } : false,
    crossOriginResourcePolicy: isPage,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  const headers: OutgoingHttpHeaders = {};
  const recorder = { setHeader: (name: string, value: string) => void (headers[name] = value), removeHeader: () => undefined };
  middleware({} as unknown as IncomingMessage, recorder as unknown as ServerResponse, (error?: unknown) => {
    if (error !== undefined) throw error instanceof Error ? error : new Error('the security headers could not be made');
  });
  return Object.freeze(headers);
}
