import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { DocumentPath } from './problem.ts';

export interface Place {
  /** Both from 1, within the text. */
  readonly line: number;
  readonly column: number;
}
/**
 * Finds the places of paths in a YAML document. Slow (fifteen times the parser that reads the catalogue): only for documents
 * with something to tell. A path that is not there gets the place of its nearest parent.
 */
export function locator(text: string): (path: DocumentPath, atKey: boolean) => Place {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, version: '1.2' });
  return (path, atKey) => {
    const { line, col } = lines.linePos(offsetOf(document, path, atKey));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
}
function offsetOf(document: Document.Parsed, path: DocumentPath, atKey: boolean): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    const last = index === path.length - 1;
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) : undefined;
    if (pair !== undefined && last && atKey) return startOf(pair.key) ?? offset;
    const next = pair === undefined ? itemOf(node, step) : valueOf(pair);
    offset = startOf(next) ?? (pair === undefined ? undefined : startOf(pair.key)) ?? offset;
    if (next === null) return offset;
    node = next;
  }
  return offset;
}
function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
const valueOf = (pair: Pair): Node | null => (isNode(pair.value) ? pair.value : null);
function itemOf(node: Node | null, step: string | number): Node | null {
  const item = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
  return isNode(item) ? item : null;
}
