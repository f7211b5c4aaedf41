import { load } from 'js-yaml';
import { BrokerError } from '../kernel/errors.ts';
import type { Reply, Request } from './contract.ts';
import { renderIndex, renderPage } from './docs-page.ts';
import { styleSheet } from './docs-style.ts';
import type { LoadedDocument } from './documents.ts';
import type { operations } from './generated/platform.ts';
import type { OpenApi } from './docs-model.ts';

const cached = { 'Cache-Control': 'public, max-age=300' };

/** The documents as pages: made on first sight, kept, no outside host. */
export const docsIndex = (documents: readonly LoadedDocument[]) => {
  const page = once(() => Buffer.from(renderIndex(documents.map(({ name, text }) => ({ name, document: load(text) as OpenApi })))));
  return (): Promise<Reply<operations['docs.index']>> => Promise.resolve({ status: 200, type: 'text/html', raw: page(), headers: cached });
};

type Page = operations['docs.contract'];
export const docsPage = (documents: readonly LoadedDocument[]) => {
  const names = documents.map(({ name }) => name);
  const pages = new Map(documents.map(({ name, text }) => [name, once(() => Buffer.from(renderPage(name, load(text) as OpenApi, names)))]));
  return ({ path }: Request<Page>): Promise<Reply<Page>> =>
    Promise.resolve({ status: 200, type: 'text/html', raw: find(pages, path.contract)(), headers: cached });
};

export const docsStyle = () => {
  const raw = Buffer.from(styleSheet);
  return (): Promise<Reply<operations['docs.style']>> => Promise.resolve({ status: 200, type: 'text/css', raw, headers: cached });
};

type Text = operations['documents.get'];
export const documentText = (documents: readonly LoadedDocument[]) => {
  const texts = new Map(documents.map(({ name, text }) => [`${name}.yaml` as const, text]));
  return ({ path }: Request<Text>): Promise<Reply<Text>> =>
    Promise.resolve({ status: 200, type: 'application/yaml', raw: Buffer.from(find(texts, path.document)), headers: cached });
};

function find<Name extends string, Value>(all: ReadonlyMap<Name, Value>, name: Name): Value {
  const found = all.get(name);
  if (found === undefined) throw new BrokerError('not-found', `there is no document ${name}: see /docs`);
  return found;
}
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
