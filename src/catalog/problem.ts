/** A place within a document: keys and indexes from its root. */
export type DocumentPath = readonly (string | number)[];

/** What a check found, before its place in the file is known. */
export interface Finding {
  /** `note`: true and worth knowing, but the file is taken. */
  readonly severity: 'error' | 'note';
  readonly path: DocumentPath;
  /** Point at the key itself (unknown or badly named), else at its value. */
  readonly atKey?: boolean;
  /** What is wrong. */
  readonly what: string;
  readonly fix: string;
}
export interface Problem {
  readonly severity: 'error' | 'note';
  /** Relative to the catalogue's directory. */
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly what: string;
  readonly fix: string;
}
/** Collects findings; rules call it. */
export type Report = (path: DocumentPath, what: string, fix: string) => void;

/** `reviews.yaml:12:5: error: plans[0].routes[1].split: the weights add to 90; make them add to 100`, as compilers say it. */
export const formatProblem = ({ severity, file, line, column, what, fix }: Problem): string =>
  `${file}:${line}:${column}: ${severity}: ${what}; ${fix}`;

/** `plans[0].routes[1].split`; the empty path is `the document`. */
export function printPath(path: DocumentPath): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : `${text === '' ? '' : '.'}${step}`;
  return text === '' ? 'the document' : text;
}
export function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
