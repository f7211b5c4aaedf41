import type { ReplyHeaders } from '../contract.ts';

interface Paged<Item> {
  readonly status: 200;
  readonly body: { items: Item[]; next: string | null };
  readonly headers: ReplyHeaders;
}
/** The store was asked for one more than the page holds: if it is there, there is a next page. */
export function page<Line, Item>(
  lines: readonly Line[],
  limit: number,
  keyOf: (line: Line) => string,
  toApi: (line: Line) => Item,
  link: (after: string) => string,
): Paged<Item> {
  const shown = lines.slice(0, limit);
  const last = shown.at(-1);
  const next = lines.length > limit && last !== undefined ? keyOf(last) : null;
  const headers: ReplyHeaders = next === null ? {} : { Link: `<${link(next)}>; rel="next"` };
  return { status: 200, headers, body: { items: shown.map(toApi), next } };
}
/** The same question for the page after. */
export function linkTo(path: string, query: Readonly<Record<string, string | number | boolean>>): (after: string) => string {
  return (after) => {
    const next = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) next.set(name, String(value));
    next.set('after', after);
    return `${path}?${next.toString()}`;
  };
}
