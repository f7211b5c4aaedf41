import type { ErrorCode } from '../kernel/errors.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { AnyReply } from './contract.ts';

/** Statuses of /v1 and of everything that belongs to no contract: a new code does not compile until it has a line here. */
const problems: Record<ErrorCode, { readonly status: number; readonly title: string }> = {
  'bad-request': { status: 400, title: 'Bad request' },
  unauthenticated: { status: 401, title: 'Not authenticated' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  gone: { status: 410, title: 'Gone' },
  conflict: { status: 409, title: 'Conflict' },
  'async-required': { status: 422, title: 'Only possible asynchronously' },
  concurrency: { status: 409, title: 'Another operation is running' },
  'maintenance-conflict': { status: 422, title: 'Other maintenance version' },
  'requires-app': { status: 422, title: 'An application is required' },
  'plan-change-not-supported': { status: 422, title: 'Plan change not supported' },
  'route-conflict': { status: 409, title: 'Routes in conflict' },
  'provision-failed': { status: 409, title: 'Provision failed' },
  'too-large': { status: 413, title: 'Too large' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'timed-out': { status: 503, title: 'Timed out' },
  unavailable: { status: 503, title: 'Not available now' },
  internal: { status: 500, title: 'The broker failed' },
};
const unknown = { code: 'internal', message: 'The broker failed; its log has the reason under the request id.' } as const;

/** A refusal under a status of HTTP that no error code has; a problem document says the same as the status line. */
export function withStatus(reply: AnyReply, status: number, title: string): AnyReply {
  if (reply.type !== 'application/problem+json') return { ...reply, status };
  return { ...reply, status, body: { ...(reply.body as Readonly<Record<string, unknown>>), title, status } };
}
export const unsupportedMediaType = (reply: AnyReply): AnyReply => withStatus(reply, 415, 'Unsupported media type');

/** RFC 9457. Only messages of BrokerErrors are told; anything else is a fixed sentence. */
export function toProblem(error: unknown): AnyReply {
  const known = error instanceof BrokerError && error.code !== 'internal' ? error : unknown;
  const { status, title } = problems[known.code];
  const field = known instanceof BrokerError ? known.context.field : undefined;
  const body = { type: 'about:blank', title, status, detail: known.message, ...(field === undefined ? {} : { field }) };
  return { status, type: 'application/problem+json', body };
}
