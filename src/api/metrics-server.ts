import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { RequestMetrics } from './ports.ts';

/** A listener of its own for /metrics, without credentials: for a network that only the collector of metrics can reach. */
export function createMetricsServer(metrics: RequestMetrics): Server {
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    (request, response) => {
      const isScrape = request.method === 'GET' && request.url?.split('?', 1)[0] === '/metrics';
      if (!isScrape) {
        response.writeHead(404, { 'Content-Type': 'text/plain' }).end('only GET /metrics is served here\n');
        return;
      }
      metrics.expose().then(
        ({ contentType, text }) => response.writeHead(200, { 'Content-Type': contentType }).end(text),
        () => response.writeHead(500, { 'Content-Type': 'text/plain' }).end('the metrics could not be read\n'),
      );
    },
  );
  server.maxConnections = 64;
  return server;
}
