import { BrokerError } from '../kernel/errors.ts';

const mostSkewSeconds = 30;
/** Certificates are made for other hosts' clocks: when ours and the database's differ by more than 30 s one of them is wrong, and nothing is signed. */
export function refuseClockSkew(host: Date, database: Date): void {
  const seconds = Math.abs(host.getTime() - database.getTime()) / 1000;
  if (seconds <= mostSkewSeconds) return;
  const message = `the clocks of this host and of the database differ by ${Math.round(seconds)} s, more than ${mostSkewSeconds} s: set both by NTP; nothing is signed until then`;
  throw new BrokerError('unavailable', message, { retryAfterSeconds: mostSkewSeconds });
}
