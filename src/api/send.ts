import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { AnyReply } from './contract.ts';
import type { Exchange } from './exchange.ts';

const noBody = new Uint8Array();

function bytesOf(reply: AnyReply): Uint8Array {
  if (reply.raw !== undefined) return reply.raw;
  if (reply.body === undefined) return noBody;
  const type = reply.type ?? 'application/json';
  const isText = typeof reply.body === 'string' && type !== 'application/json' && !type.endsWith('+json');
  return Buffer.from(isText ? reply.body : JSON.stringify(reply.body));
}

/** Writes the reply. `security`: headers of every response (helmet). Nothing is cached unless the reply says so (AMB-24). */
export function sendReply(response: ServerResponse, exchange: Exchange, reply: AnyReply, security: OutgoingHttpHeaders): void {
  const bytes = bytesOf(reply);
  const headers: OutgoingHttpHeaders = { ...security, 'Cache-Control': 'no-store' };
  if (exchange.echo !== null) headers['X-Broker-API-Request-Identity'] = exchange.echo;
  headers['X-Request-Id'] = exchange.requestId;
  const empty = reply.body === undefined && reply.raw === undefined;
  if (!empty) headers['Content-Type'] = reply.type ?? 'application/json';
  if (reply.status !== 304 && reply.status !== 204) headers['Content-Length'] = bytes.byteLength;
  Object.assign(headers, reply.headers);
  response.writeHead(reply.status, headers);
  response.end(bytes.byteLength === 0 ? undefined : bytes);
}
