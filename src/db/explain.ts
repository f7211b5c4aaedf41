import { BrokerError } from '../kernel/errors.ts';
import { codeOf } from './failures.ts';

interface Place {
  readonly host: string;
  readonly user: string;
  readonly database: string;
}
type Explain = (place: Place, said: string) => string;

const unknownHost: Explain = ({ host }) => `the host of ${host} is not known: correct it in DATABASE_URL`;
const silent: Explain = ({ host }) => `${host} does not answer: check the address, the network and firewalls`;
const refused: Explain = ({ host }) => `nothing listens at ${host}: start PostgreSQL, or correct host and port in DATABASE_URL`;
const wrongPassword: Explain = ({ host, user }) =>
  `${host} refuses the password of user "${user}": correct it in DATABASE_URL, where @ / # % are written %40 %2F %23 %25, or give it as it is in PGPASSWORD`;
const notTrusted: Explain = ({ host }, said) => `the certificate of ${host} is not trusted (${said}): give sslrootcert in DATABASE_URL`;

/** By SQLSTATE or Node's code. What the server says of these names users and databases, never passwords. */
const explanations: Readonly<Record<string, Explain>> = {
  ECONNREFUSED: refused,
  ENOENT: ({ host }) => `there is no socket of PostgreSQL at ${host}: start it, or correct DATABASE_URL`,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ETIMEDOUT: silent,
  EHOSTUNREACH: silent,
  ENETUNREACH: silent,
  SELF_SIGNED_CERT_IN_CHAIN: notTrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: notTrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: notTrusted,
  '3D000': ({ host, database }) => `there is no database "${database}" at ${host}: create it, or correct its name in DATABASE_URL`,
  '28P01': wrongPassword,
  '28000': ({ host }, said) => `${host} does not let the broker in (${said}): correct DATABASE_URL, or pg_hba.conf there`,
  '42501': ({ user, database }, said) =>
    `user "${user}" may not do that in database "${database}" (${said}): make it the owner of the database`,
  '53300': ({ host }) => `${host} has no connection left: raise max_connections there, or lower MESHBROKER_DATABASE_POOL`,
  '57P03': ({ host }, said) => `${host} is not ready yet (${said}): start again in a moment`,
  '25006': ({ host }) => `${host} is a standby, which takes no writes: give the primary in DATABASE_URL`,
};
const byMessage: readonly (readonly [RegExp, Explain])[] = [
  [
    /^SASL: .*password must be/,
    ({ host, user }) => `${host} asks for a password of user "${user}", and neither DATABASE_URL nor PGPASSWORD has one`,
  ],
  [/^timeout expired|connection timeout|^timeout exceeded/, silent],
  [/does not support SSL/, ({ host }) => `${host} speaks no TLS: set it up there, or remove sslmode from DATABASE_URL`],
];

/** The same failure as a sentence for who runs the broker, with the fix and without secrets; what it cannot explain stays as it is. */
export function explained(error: unknown, url: string): unknown {
  const place = placeOf(url);
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const { message } = cause;
    const explain = explanations[codeOf(cause) ?? ''] ?? byMessage.find(([pattern]) => pattern.test(message))?.[1];
    if (explain !== undefined) return new BrokerError('unavailable', `DATABASE_URL: ${explain(place, message)}`, {}, error);
  }
  return error;
}
function placeOf(url: string): Place {
  const { hostname, port, username, pathname, searchParams } = new URL(url);
  const host = decodeURIComponent(searchParams.get('host') ?? hostname);
  return {
    host: host.startsWith('/') ? host : `${host === '' ? 'localhost' : host}:${port === '' ? '5432' : port}`,
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
  };
}
