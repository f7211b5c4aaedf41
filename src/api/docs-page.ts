import type { Answer, Content, Method, OpenApi, Operation, Parameter, PathItem, Schema } from './docs-model.ts';
import { methods, resolve } from './docs-model.ts';

const names: Readonly<Record<string, string>> = { osb: 'Open Service Broker', platform: 'Platform', ingest: 'Usage ingestion' };

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
/** Text of a document: escaped, `code` between backticks. */
const prose = (text: string | undefined): string => escapeHtml((text ?? '').trim()).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
const paragraphs = (text: string | undefined): string =>
  (text ?? '')
    .trim()
    .split(/\n\s*\n/)
    .filter((part) => part !== '')
    .map((part) => `<p>${prose(part)}</p>`)
    .join('');
const anchor = (text: string): string => text.replaceAll(/[^A-Za-z0-9]+/g, '-');
/** A long path may break before each slash. */
const breakable = (path: string): string => escapeHtml(path).replaceAll('/', '<wbr>/');

interface Listed {
  readonly method: Method;
  readonly path: string;
  readonly item: PathItem;
  readonly operation: Operation;
}
function operationsOf(document: OpenApi): Listed[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, item, operation }];
    }),
  );
}

function frame(title: string, current: string | null, all: readonly string[], main: string): string {
  const links = all
    .map((name) => `<a href="/docs/${name}"${name === current ? ' aria-current="page"' : ''}>${names[name] ?? name}</a>`)
    .join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/style.css"></head>
<body><header class="bar"><a class="brand" href="/docs">Meshbroker</a><nav aria-label="Documents">${links}</nav></header>${main}</body></html>
`;
}

/** The front page: one card per document. */
export function renderIndex(all: readonly { readonly name: string; readonly document: OpenApi }[]): string {
  const cards = all.map(({ name, document }) => {
    const count = operationsOf(document).length;
    return `<a class="card" href="/docs/${name}"><h2>${names[name] ?? name}</h2>${paragraphs(document.info.description)}<p class="more">${count} ${count === 1 ? 'operation' : 'operations'}</p></a>`;
  });
  const intro =
    '<h1>What Meshbroker answers</h1><p class="lead">Three documents. Each page is made from the OpenAPI file that also checks every request.</p>';
  return frame('Meshbroker: documents', null, all.map(({ name }) => name), `<main class="index">${intro}<div class="cards">${cards.join('')}</div></main>`); // prettier-ignore
}

/** One document on one page. */
export function renderPage(name: string, document: OpenApi, all: readonly string[]): string {
  const groups = groupByTag(document);
  const links = groups.map(([tag, listed]) => `<h2>${escapeHtml(tag)}</h2><ul>${listed.map(menuLine).join('')}</ul>`).join('');
  const sections = groups.map(([tag, listed]) => `<section><h2 class="tag" id="tag-${anchor(tag)}">${escapeHtml(tag)}</h2>${tagText(document, tag)}${listed.map((each) => operationCard(document, each)).join('')}</section>`); // prettier-ignore
  const schemas = Object.entries(document.components?.schemas ?? {});
  const schemaCards = schemas.map(
    ([key, schema]) =>
      `<article class="schema" id="schema-${anchor(key)}"><h3><code>${escapeHtml(key)}</code></h3>${schemaBlock(schema)}</article>`,
  );
  const head = `<h1>${escapeHtml(document.info.title)} <small>${escapeHtml(document.info.version)}</small></h1>${paragraphs(document.info.description)}${securityList(document)}<p><a class="raw" href="/openapi/${name}.yaml">OpenAPI document (YAML)</a></p>`;
  const shapes = schemaCards.length === 0 ? '' : `<section><h2 class="tag" id="schemas">Shapes</h2>${schemaCards.join('')}</section>`;
  const menu = `<details class="menu" open><summary>Operations</summary><nav aria-label="Operations">${links}${shapes === '' ? '' : '<ul><li><a href="#schemas">Shapes</a></li></ul>'}</nav></details>`;
  return frame(
    document.info.title,
    name,
    all,
    `<div class="columns"><aside>${menu}</aside><main>${head}${sections.join('')}${shapes}</main></div>`,
  );
}

function groupByTag(document: OpenApi): [string, Listed[]][] {
  const groups = new Map<string, Listed[]>((document.tags ?? []).map(({ name }) => [name, []]));
  for (const listed of operationsOf(document)) {
    const tag = listed.operation.tags?.[0] ?? 'operations';
    groups.set(tag, [...(groups.get(tag) ?? []), listed]);
  }
  return [...groups].filter(([, listed]) => listed.length > 0);
}
const tagText = (document: OpenApi, tag: string): string => paragraphs(document.tags?.find(({ name }) => name === tag)?.description);
const badge = (method: Method): string => `<span class="method ${method}">${method.toUpperCase()}</span>`;
const menuLine = ({ method, path, operation }: Listed): string => `<li><a href="#${anchor(operation.operationId)}" title="${escapeHtml(path)}">${badge(method)} ${escapeHtml(operation.operationId)}</a></li>`; // prettier-ignore

function securityList(document: OpenApi): string {
  const schemes = Object.entries(document.components?.securitySchemes ?? {});
  const items = schemes.map(
    ([name, { type, scheme, description }]) =>
      `<li><strong>${escapeHtml(name)}</strong>: ${escapeHtml(type)} ${escapeHtml(scheme ?? '')}. ${prose(description)}</li>`,
  );
  return items.length === 0 ? '' : `<ul class="schemes">${items.join('')}</ul>`;
}
function whoMayCall(document: OpenApi, operation: Operation): string {
  const needed = (operation.security ?? document.security ?? []).flatMap((each) => Object.keys(each));
  return needed.length === 0 ? 'open to everybody' : `needs ${needed.map(escapeHtml).join(' or ')}`;
}

function operationCard(document: OpenApi, { method, path, item, operation }: Listed): string {
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((each) => resolve(document, each));
  const body = operation.requestBody === undefined ? undefined : resolve(document, operation.requestBody);
  const answers = Object.entries(operation.responses).map(([status, answer]) => answerRow(status, resolve(document, answer)));
  return `<article class="operation" id="${anchor(operation.operationId)}">
<h3>${badge(method)} <code class="path">${breakable(path)}</code></h3><p class="summary">${prose(operation.summary)}</p>
<p class="facts"><code>${escapeHtml(operation.operationId)}</code> · ${whoMayCall(document, operation)}</p>${paragraphs(operation.description)}
${parameters.length === 0 ? '' : `<h4>Parameters</h4><dl class="fields">${parameters.map(parameterRow).join('')}</dl>`}
${body === undefined ? '' : `<h4>Body${body.required === true ? '' : ' (optional)'}</h4>${contentBlock(body.content)}`}
<h4>Answers</h4><dl class="answers">${answers.join('')}</dl></article>`;
}
const parameterRow = ({ name, in: place, required, description, schema }: Parameter): string =>
  `<dt><code>${escapeHtml(name)}</code> <span class="where">${place}${required === true ? ', required' : ''}</span></dt><dd>${typeText(schema ?? {})}${description === undefined ? '' : ` ${prose(description)}`}</dd>`;
function answerRow(status: string, { description, headers, content }: Answer): string {
  const sent = Object.keys(headers ?? {});
  const extra =
    sent.length === 0 ? '' : `<p class="facts">Headers: ${sent.map((name) => `<code>${escapeHtml(name)}</code>`).join(' ')}</p>`;
  const family = /^\d/.test(status) ? `s${status.charAt(0)}` : 's0';
  return `<dt><span class="status ${family}">${escapeHtml(status)}</span></dt><dd><p>${prose(description)}</p>${extra}${content === undefined ? '' : contentBlock(content)}</dd>`;
}
const contentBlock = (content: Content): string =>
  Object.entries(content)
    .map(
      ([type, { schema }]) =>
        `<div class="content"><p class="type">${escapeHtml(type)}</p>${schema === undefined ? '' : schemaBlock(schema)}</div>`,
    )
    .join('');

const refName = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);
const link = (ref: string): string => `<a href="#schema-${anchor(refName(ref))}">${escapeHtml(refName(ref))}</a>`;

/** An object's fields as a list; everything else in one line. */
function schemaBlock(schema: Schema): string {
  const text = schema.description === undefined ? '' : `<p>${prose(schema.description)}</p>`;
  if (schema.properties === undefined) return `<p class="line">${typeText(schema)}</p>${text}`;
  const rows = Object.entries(schema.properties).map(([name, field]) => {
    const isRequired = schema.required?.includes(name) === true;
    const inner = innerFields(field);
    const told = field.description === undefined ? '' : ` ${prose(field.description)}`;
    return `<dt><code>${escapeHtml(name)}</code>${isRequired ? ' <span class="where">required</span>' : ''}</dt><dd>${typeText(field)}${told}${inner}</dd>`;
  });
  return `${text}<dl class="fields">${rows.join('')}</dl>`;
}
function innerFields(field: Schema): string {
  const object = field.properties === undefined ? field.items : field;
  return object?.properties === undefined ? '' : schemaBlock({ ...object, description: '' });
}

function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return link(schema.$ref);
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return choices.map(typeText).join(' or ');
  if (schema.allOf !== undefined) return schema.allOf.map(typeText).join(' and ');
  if (schema.enum !== undefined) return schema.enum.map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`).join(' or ');
  const types = schema.type === undefined ? ['anything'] : [schema.type].flat();
  const written = types
    .map((type) => (type === 'array' && schema.items !== undefined ? `array of ${typeText(schema.items)}` : escapeHtml(type)))
    .join(' or ');
  return `<span class="kind">${written}</span>${limitsText(schema)}`;
}
function limitsText(schema: Schema): string {
  const limits = [
    schema.format,
    schema.minimum === undefined ? undefined : `≥ ${schema.minimum}`,
    schema.maximum === undefined ? undefined : `≤ ${schema.maximum}`,
    (schema.minLength ?? 0) > 0 ? 'not empty' : undefined,
    schema.maxLength === undefined ? undefined : `at most ${schema.maxLength} characters`,
    schema.maxItems === undefined ? undefined : `at most ${schema.maxItems} entries`,
    schema.pattern,
    schema.default === undefined ? undefined : `default ${JSON.stringify(schema.default)}`,
  ].filter((limit) => limit !== undefined);
  return limits.length === 0 ? '' : ` <span class="limits">${escapeHtml(limits.join(', '))}</span>`;
}
