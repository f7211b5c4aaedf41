import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, type BenchServer } from './child.ts';
import { alternate, type Figure } from './figure.ts';
import { benchHome } from './home.ts';
import { requestsPerSecond } from './load.ts';
import { writeCatalog } from './write-catalog.ts';

/** Many short ones: a busy moment of the machine spoils few of them. */
const rounds = 11;
const seconds = 1;
const connections = 16;

/** GET /v2/catalog, authenticated, of a raw node:http server that sends the same bytes. */
export async function benchCatalogHttp(): Promise<readonly Figure[]> {
  const directory = await benchHome();
  try {
    return [...(await measure(directory, 'small', 3, 3)), ...(await measure(directory, 'big', 36, 5))];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string, name: 'small' | 'big', offerings: number, plans: number): Promise<readonly Figure[]> {
  const catalog = join(directory, `catalog-${name}`);
  await writeCatalog(catalog, offerings, plans);
  const broker = await startChild('server.ts', join(directory, `data-${name}`), catalog);
  const headers = headersOf(broker);
  const url = `${broker.url}/v2/catalog`;
  const first = await fetch(url, { headers: { ...headers, 'accept-encoding': 'identity' } });
  const body = Buffer.from(await first.arrayBuffer());
  await writeFile(join(directory, `${name}.json`), body);
  const raw = await startChild('raw-server.ts', join(directory, `${name}.json`));
  const ceiling = (): Promise<number> => requestsPerSecond({ url: raw.url, connections, seconds, expected: 200 });
  const mine = (more: Record<string, string>, expected: number) => (): Promise<number> =>
    requestsPerSecond({ url, headers: { ...headers, ...more }, connections, seconds, expected });
  const unit = `requests/s (${Math.round(body.length / 1_000)} kB)`;
  const figure = (label: string, more: Record<string, string>, expected: number): Promise<Figure> =>
    alternate(label, unit, rounds, mine(more, expected), ceiling);
  try {
    const figures = [await figure(`catalog.${name}`, {}, 200)];
    if (name === 'small') return figures;
    figures.push(await figure('catalog.304', { 'if-none-match': first.headers.get('etag') ?? '' }, 304));
    figures.push(await figure('catalog.br', { 'accept-encoding': 'br' }, 200));
    return figures;
  } finally {
    await raw.stop();
    await broker.stop();
  }
}
export const headersOf = ({ username, password }: BenchServer): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  'x-broker-api-version': '2.17',
});
