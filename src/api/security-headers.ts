import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Headers that protect whoever looks at an answer in a browser. Made once: they are the same for every request. */
export interface SecurityHeaders {
  readonly api: OutgoingHttpHeaders;
  /** For the pages of /docs: their own style sheet, nothing else. */
  readonly html: OutgoingHttpHeaders;
}
export function securityHeaders(tls: boolean): SecurityHeaders {
  const nothing = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
  return {
    api: collect(tls, nothing),
    html: collect(tls, { ...nothing, styleSrc: ["'self'"], imgSrc: ['data:'], baseUri: ["'none'"], formAction: ["'none'"] }),
  };
}

function collect(tls: boolean, directives: Record<string, string[]>): OutgoingHttpHeaders {
  const middleware = helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    strictTransportSecurity: tls,
    referrerPolicy: { policy: 'no-referrer' },
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
