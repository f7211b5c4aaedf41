import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { Readiness, RequestMetrics } from './ports.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}
/** A listener of its own for /metrics, /livez and /readyz, without credentials: for a network that only the collector of metrics can reach. */
export function createMetricsServer({ metrics, readiness }: { readonly metrics: RequestMetrics; readonly readiness: Readiness }): Server {
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined;
    if (path === '/metrics') {
      const { contentType, text } = await metrics.expose();
      return { status: 200, type: contentType, text };
    }
    if (path === '/livez') return { status: 200, type: 'application/json', text: '{"status":"ok"}' };
    if (path === '/readyz') {
      const state = await readiness.check();
      return { status: state.ready ? 200 : 503, type: 'application/json', text: JSON.stringify(state) };
    }
    return { status: 404, type: 'text/plain', text: 'GET /metrics, /livez and /readyz are served here\n' };
  };
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    (request, response) => {
      answer(request)
      .catch((): Answer => ({ status: 500, type: 'text/plain', text: 'the broker failed\n' }))
      .then(({ status, type, text }) => response.writeHead(status, { 'Content-Type': type }).end(text), () => undefined); // prettier-ignore
    },
  );
  server.maxConnections = 64;
  return server;
}
