import type { Command } from 'commander';
import { cut } from '../../kernel/cut.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { CommandContext } from '../context.ts';
import type { Query } from '../broker-client.ts';
import { table } from '../table.ts';

export type Line = Readonly<Record<string, unknown>>;
interface Page {
  readonly items: readonly Line[];
  readonly next: string | null;
}
export interface ListOptions {
  readonly limit: string;
  readonly json?: true;
}
const pageSize = 100;
const longestCell = 200;

/** Page after page up to `limit` lines. */
async function lines(
  context: CommandContext,
  path: string,
  query: Query,
  limit: number,
): Promise<{ readonly items: readonly Line[]; readonly more: boolean }> {
  const broker = await context.broker();
  const items: Line[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await broker.json<Page>('GET', path, { query: { ...query, limit: Math.min(pageSize, limit - items.length), after } });
    items.push(...page.items);
    if (page.next === null) return { items, more: false };
    if (items.length >= limit) return { items, more: true };
    after = page.next;
  }
}
/** One line, whatever was said; a long sentence is cut, an id never. */
export const cell = (value: unknown): string => {
  if (value === null || value === undefined || value === '') return '-';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.includes(' ') ? cut(line, longestCell) : line;
};

export async function list(
  context: CommandContext,
  path: string,
  query: Query,
  columns: readonly string[],
  { limit, json }: ListOptions,
): Promise<void> {
  if (!/^[1-9]\d{0,8}$/.test(limit)) throw new BrokerError('bad-request', `--limit ${limit}: give a whole number from 1`);
  const { items, more } = await lines(context, path, query, Number(limit));
  if (json === true) {
    context.print(JSON.stringify(items, null, 2));
    return;
  }
  context.print(table(columns.map((name) => name.replaceAll('_', ' ')), items.map((line) => columns.map((name) => cell(line[name]))))); // prettier-ignore
  if (more) context.print(`… there are more: --limit ${items.length * 2}`);
}
/** A day begins at midnight UTC. */
export const momentOf = (time: string | undefined): string | undefined =>
  time !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(time) ? `${time}T00:00:00Z` : time;
export const listing = (command: Command): Command => command.option('--limit <lines>', 'most lines', '100').option('--json', 'print JSON');
