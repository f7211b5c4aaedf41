import type { DocumentPath, Report } from './problem.ts';
import { printPath } from './problem.ts';

const mostNodes = 50_000;
const deepest = 64;
// eslint-disable-next-line no-control-regex -- these are what is refused
const unprintable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/;
const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses what JSON, jsonb and mesh objects cannot carry: control characters, halves of surrogate pairs, NaN and infinities,
 * and documents that aliases blow up. True: the document is small enough to be judged further.
 */
export function checkPlainValues(document: unknown, report: Report): boolean {
  let nodes = 0;
  const visit = (value: unknown, path: DocumentPath): boolean => {
    nodes += 1;
    if (nodes > mostNodes || path.length > deepest) {
      report([], `the document has more than ${mostNodes} values or ${deepest} levels`, 'make it smaller, and check its aliases');
      return false;
    }
    if (typeof value === 'string') checkText(value, path, report);
    if (typeof value === 'number' && !Number.isFinite(value)) report(path, `${printPath(path)}: is not a finite number`, 'write a number');
    if (Array.isArray(value)) return value.every((item, index) => visit(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return true;
    return Object.entries(value).every(([key, item]) => {
      const here = [...path, key];
      if (unsafeKeys.has(key)) report(here, `${printPath(here)}: this key is not allowed`, 'rename it');
      checkText(key, here, report);
      return visit(item, here);
    });
  };
  return visit(document, []);
}
function checkText(text: string, path: DocumentPath, report: Report): void {
  if (unprintable.test(text)) report(path, `${printPath(path)}: has a control character`, 'remove it');
  if (!text.isWellFormed()) report(path, `${printPath(path)}: has half of a surrogate pair`, 'write the whole character');
}
