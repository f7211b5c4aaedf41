import type { DocumentPath, Report } from './problem.ts';
import { printPath } from './problem.ts';

const mostNodes = 50_000;
const deepest = 64;
// eslint-disable-next-line no-control-regex -- these are what is refused
const unprintable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/;
const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses what JSON, jsonb and mesh objects cannot carry: control characters, halves of surrogate pairs, NaN and infinities,
 * and documents that aliases blow up. True: the document is small enough to be judged further. The parser refuses such characters as they
 * are: they can only come of escapes (`hasEscapes`).
 */
export function checkPlainValues(document: unknown, hasEscapes: boolean, report: Report): boolean {
  let nodes = 0;
  const path: (string | number)[] = [];
  const visitAt = (step: string | number, value: unknown): boolean => {
    path.push(step);
    const judgeable = visit(value);
    path.pop();
    return judgeable;
  };
  const visit = (value: unknown): boolean => {
    nodes += 1;
    if (nodes > mostNodes || path.length > deepest) {
      report([], `the document has more than ${mostNodes} values or ${deepest} levels`, 'make it smaller, and check its aliases');
      return false;
    }
    if (hasEscapes && typeof value === 'string') checkText(value, path, report);
    if (typeof value === 'number' && !Number.isFinite(value))
      report([...path], `${printPath(path)}: is not a finite number`, 'write a number');
    if (Array.isArray(value)) return value.every((item, index) => visitAt(index, item));
    if (typeof value !== 'object' || value === null) return true;
    return Object.keys(value).every((key) => {
      checkKey(key, hasEscapes, path, report);
      return visitAt(key, (value as Readonly<Record<string, unknown>>)[key]);
    });
  };
  return visit(document);
}
function checkKey(key: string, hasEscapes: boolean, parent: DocumentPath, report: Report): void {
  if (unsafeKeys.has(key)) {
    const here = [...parent, key];
    report(here, `${printPath(here)}: this key is not allowed`, 'rename it');
  }
  if (hasEscapes && isDirty(key)) checkText(key, [...parent, key], report);
}
const isDirty = (text: string): boolean => unprintable.test(text) || !text.isWellFormed();
/** `path` goes on changing: what is reported is a copy. */
function checkText(text: string, path: DocumentPath, report: Report): void {
  if (unprintable.test(text)) report([...path], `${printPath(path)}: has a control character`, 'remove it');
  if (!text.isWellFormed()) report([...path], `${printPath(path)}: has half of a surrogate pair`, 'write the whole character');
}
