import type { Config } from '../config.ts';
import { BrokerError } from '../kernel/errors.ts';
import { announcedBrokers } from './serve/broker-addresses.ts';
import { readCredentials } from './serve/data-files.ts';
import { urlOf } from './serve/listen-on.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
export interface Sent {
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
/** A running broker, asked over HTTP with the admin token. */
export interface BrokerClient {
  readonly url: string;
  /** The decoded answer. A refusal is thrown with the broker's own words; no answer, with what to do. */
  json<T>(method: string, path: string, sent?: Sent): Promise<T>;
  text(method: string, path: string, sent?: Sent): Promise<string>;
}

/** MESHBROKER_URL and MESHBROKER_ADMIN_TOKEN, else what the broker of the data directory left there. */
export async function brokerClient(config: Config): Promise<BrokerClient> {
  const { dataDirectory } = config;
  const token = config.access.adminToken ?? (await readCredentials(dataDirectory)).adminToken;
  if (token === undefined)
    throw new BrokerError(
      'unauthenticated',
      `there is no admin token in ${dataDirectory}: start the broker once, or set MESHBROKER_ADMIN_TOKEN`,
    );
  const url =
    config.url ??
    (await liveBroker(dataDirectory)) ??
    (config.access.adminToken === null ? null : urlOf(config.listen, config.tls !== null));
  if (url === null) throw new BrokerError('unavailable', `no broker of ${dataDirectory} runs: ${toStart}`); // its token is for no other
  const text = async (method: string, path: string, sent: Sent = {}): Promise<string> => {
    const response = await ask(url, token, method, path, sent);
    const answer = await response.text();
    if (response.ok) return answer;
    throw refusal(response, answer);
  };
  return {
    url,
    text,
    json: async <T>(method: string, path: string, sent?: Sent) => {
      const answer = await text(method, path, sent);
      return (answer === '' ? undefined : JSON.parse(answer)) as T;
    },
  };
}

const toStart = 'start it with npm start (or npx meshbroker serve), or set MESHBROKER_URL';

/** The newest broker of the directory that answers; where none does, the newest; undefined: none is known. */
async function liveBroker(dataDirectory: string): Promise<string | undefined> {
  const urls = (await announcedBrokers(dataDirectory)).map(({ url }) => url);
  if (urls.length <= 1) return urls[0];
  const found = await Promise.all(urls.map(answers));
  return urls[Math.max(0, found.indexOf(true))];
}
const probeMs = 1_000;
const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/livez`, { signal: AbortSignal.timeout(probeMs) }).then(
    () => true,
    (error: unknown) => isUntrusted(causeOf(error)),
  );
const causeOf = (error: unknown): string => (error instanceof Error && error.cause instanceof Error ? error.cause.message : '');
const isUntrusted = (why: string): boolean => /certificate|self-signed/i.test(why);

async function ask(base: string, token: string, method: string, path: string, { query = {}, body, headers = {} }: Sent): Promise<Response> {
  const url = new URL(base + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const type = body === undefined || isRaw ? {} : { 'content-type': 'application/json' };
  const content = body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) };
  try {
    return await fetch(url, { method, headers: { authorization: `Bearer ${token}`, ...type, ...headers }, ...content });
  } catch (cause) {
    throw new BrokerError('unavailable', `no broker answers at ${base}: ${whyNoAnswer(cause)}`, {}, cause);
  }
}
function whyNoAnswer(error: unknown): string {
  const why = causeOf(error);
  if (isUntrusted(why)) return `its certificate is not trusted (${why}): set NODE_EXTRA_CA_CERTS to its CA`;
  return toStart;
}
function refusal(response: Response, answer: string): BrokerError {
  if (response.status === 401)
    return new BrokerError(
      'unauthenticated',
      'the broker does not accept this admin token: set MESHBROKER_ADMIN_TOKEN, or MESHBROKER_DATA_DIR to the directory of that broker',
    );
  let detail = answer.slice(0, 500);
  try {
    const problem = JSON.parse(answer) as { detail?: unknown; description?: unknown };
    for (const words of [problem.detail, problem.description]) if (typeof words === 'string') detail = words;
  } catch {
    // no problem document: its text is shown as it is
  }
  return new BrokerError(
    response.status === 404 ? 'not-found' : 'bad-request',
    detail === '' ? `the broker answered ${response.status}` : detail,
  );
}
