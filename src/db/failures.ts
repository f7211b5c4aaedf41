import { BrokerError } from '../kernel/errors.ts';

const retryAfterSeconds = 2;
const lostStates = /^(08|57P0[1-5]|25006|53300)/;
const lostCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED']); // prettier-ignore
const lostMessages =
  /^(Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|Cannot use a pool after calling end)/;

/** SQLSTATE or Node's error code, when the error has one. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Serialization failure or deadlock: the whole transaction may be tried again. */
export const isRepeatable = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error) ?? '');

/** The connection is of no more use: a demoted, stopping or unreachable server. */
export function isBroken(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return lostStates.test(code) || lostCodes.has(code);
  return error instanceof Error && lostMessages.test(error.message);
}

/** Marks what happened before anything was sent, so that it is not taken for an ambiguous outcome. */
export class NeverConnected extends Error {
  override readonly name = 'NeverConnected';
}

/**
 * True where the connection was lost with a statement or commit under way: it is not known whether that took effect. Says the
 * same of the BrokerError `unavailable` that the database throws for it.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (error instanceof BrokerError) return isConnectionLoss(error.cause);
  return !(error instanceof NeverConnected) && isBroken(error);
}

/** What a room sees: `unavailable` for everything that another try may cure, the database's own error otherwise. */
export function visibleFailure(error: unknown): unknown {
  if (error instanceof BrokerError) return error;
  const away = (message: string): BrokerError =>
    new BrokerError('unavailable', `${message}: send the request again`, { retryAfterSeconds }, error);
  const code = codeOf(error) ?? '';
  if (error instanceof NeverConnected || isBroken(error)) return away('the database does not answer');
  if (isRepeatable(error)) return away('the database was too busy with the same rows');
  if (code === '57014' || code === '55P03') return away('the database took too long');
  if (code.startsWith('53')) return away('the database has no room left');
  return error;
}
