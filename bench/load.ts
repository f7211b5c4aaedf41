import autocannon from 'autocannon';

export interface Load {
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly connections: number;
  readonly seconds: number;
  readonly method?: 'GET' | 'PUT' | 'POST';
  /** Another path and body for each request. */
  readonly next?: () => { readonly path: string; readonly body: string };
  readonly expected: number;
}
/** Requests a second that were answered as expected; throws when any was not. */
export async function requestsPerSecond({
  url,
  headers = {},
  connections,
  seconds,
  method = 'GET',
  next,
  expected,
}: Load): Promise<number> {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    method,
    headers,
    ...(next === undefined ? {} : { requests: [{ setupRequest: (request) => ({ ...request, ...next() }) }] }),
  });
  const wrong = Object.entries(result.statusCodeStats ?? {}).filter(([status]) => Number(status) !== expected);
  if (wrong.length > 0 || result.errors > 0)
    throw new Error(`not all were answered ${expected}: ${JSON.stringify(wrong)}, ${result.errors} errors`);
  return result.requests.total / result.duration;
}
