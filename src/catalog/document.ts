import { CORE_SCHEMA, YAMLException, load } from 'js-yaml';
import type { OfferingFile } from './offering-file.ts';
import { checkStructure } from './offering-schema.ts';
import { checkPlainValues } from './plain-values.ts';
import { soundParts } from './lint-sound-parts.ts';
import type { Finding } from './problem.ts';
import { offeringErrors } from './rules/offering-rules.ts';
import type { RuleSettings } from './rules/offering-rules.ts';

/** A YAML document of an offering file: text and where it begins in the file. */
export interface DocumentText {
  readonly text: string;
  /** Lines of the file before the document. */
  readonly linesBefore: number;
}
/** A document read and judged by itself, without its neighbours and its API files. */
export type ReadDocument =
  | { readonly kind: 'offering'; readonly file: OfferingFile }
  | { readonly kind: 'empty' }
  /** `names`: what else of it can be judged beside its neighbours. */
  | { readonly kind: 'broken'; readonly findings: readonly Finding[]; readonly names?: OfferingFile }
  | { readonly kind: 'unreadable'; readonly what: string; readonly fix: string; readonly line: number; readonly column: number };

const blank = /^(?:---|[.]{3})?\s*(?:#.*)?$/;
export const largestDocument = 1_048_576;

/** Cuts a file at its document markers (YAML 1.2: `---` at the start of a line is never content), so that each can be read by itself. */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let start = 0;
  let linesBefore = 0;
  const add = (end: number): void => {
    const part = text.slice(start, end);
    documents.push({ text: part, linesBefore });
    linesBefore += part.split('\n').length - 1;
    start = end;
  };
  for (const { index } of text.matchAll(/^---(?=\s|$)/gm)) if (index > start) add(index);
  add(text.length);
  return documents;
}
/** Parses and judges; pure, and never throws for what the file says. */
export function readDocument(text: string, settings: RuleSettings): ReadDocument {
  if (text.split('\n').every((line) => blank.test(line))) return { kind: 'empty' };
  if (text.length > largestDocument)
    return {
      kind: 'unreadable',
      what: 'the document is larger than 1 MiB',
      fix: 'shorten it: long texts go into the files of apis',
      line: 1,
      column: 1,
    };
  let document: unknown;
  try {
    document = load(text, { schema: CORE_SCHEMA, maxAliases: 100, maxDepth: 64 });
  } catch (error) {
    return unreadable(error);
  }
  const findings: Finding[] = [];
  const judgeable = checkPlainValues(document, text.includes('\\'), (path, what, fix) =>
    findings.push({ severity: 'error', path, what, fix }),
  );
  if (!judgeable) return { kind: 'broken', findings };
  const structure = checkStructure(document);
  if (!structure.ok) {
    const told = [...findings, ...structure.findings];
    const sound = soundParts(document, structure.unsound, told.map(({ path }) => path), settings); // prettier-ignore
    return { kind: 'broken', findings: [...told, ...(sound?.findings ?? [])], ...(sound === undefined ? {} : { names: sound.file }) };
  }
  findings.push(...offeringErrors(structure.file, settings));
  return findings.length === 0 ? { kind: 'offering', file: structure.file } : { kind: 'broken', findings, names: structure.file };
}
function unreadable(error: unknown): ReadDocument {
  const mark = error instanceof YAMLException ? error.mark : undefined;
  const what = error instanceof YAMLException ? error.reason : String(error);
  const fix = /duplicat/.test(what) ? 'keep one of them' : 'correct the YAML in this line or in the one before';
  return { kind: 'unreadable', what: `not YAML: ${what}`, fix, line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 };
}
