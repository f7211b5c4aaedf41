import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
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
    const { key, value } = stepInto(isAlias(node) ? (node.resolve(document) ?? null) : node, step);
    if (atKey && index === path.length - 1) return startOf(key) ?? offset;
    offset = startOf(value) ?? startOf(key) ?? offset;
    if (value === null) break;
    node = value;
  }
  return offset;
}
const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
const nodeOrNull = (node: unknown): Node | null => (isNode(node) ? node : null);

function stepInto(node: Node | null, step: string | number): { readonly key: Node | null; readonly value: Node | null } {
  if (isSeq(node)) return { key: null, value: typeof step === 'number' ? nodeOrNull(node.items[step]) : null };
  const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) : undefined;
  return { key: nodeOrNull(pair?.key), value: nodeOrNull(pair?.value) };
}
