import { join } from 'node:path';
import { breathing } from './breathe.ts';
import { ApiFiles } from './api-files.ts';
import { codeOf, fileStamp, fileStamps, largestFile, offeringFileNames, readText } from './catalog-files.ts';
import { decodeOffering } from './decode-offering.ts';
import { readDocument, splitDocuments } from './document.ts';
import type { ReadDocument } from './document.ts';
import { findDuplicates } from './duplicates.ts';
import type { ServiceOffering } from './offering.ts';
import type { OfferingFile } from './offering-file.ts';
import type { Finding, Problem } from './problem.ts';
import { byPlace } from './problem.ts';
import { offeringNotes } from './rules/offering-rules.ts';
import type { RuleSettings } from './rules/offering-rules.ts';

export interface DirectorySettings extends RuleSettings {
  readonly directory: string;
}
export interface DirectoryReading {
  /** Empty where there are errors. */
  readonly offerings: readonly ServiceOffering[];
  /** Errors, and notes where they were asked for; by place. */
  readonly problems: readonly Problem[];
}
/** A document in its file, with what was learnt about it. Kept between readings while its text stays. */
interface FileDocument {
  readonly file: string;
  readonly text: string;
  readonly linesBefore: number;
  readonly read: ReadDocument;
  /** What came of it with its API files; the same offering while neither changes, so that caches of it stay good. */
  decoded?: Decoded;
}
type Decoded = { readonly apiStamps: string; readonly offering: ServiceOffering } | { readonly findings: readonly Finding[] };
interface KnownFile {
  readonly stamp: string;
  readonly documents: readonly FileDocument[];
  readonly problem?: Problem;
}

/** Read ahead of parsing, so that the disk and the parser work at the same time. */
const filesAtOnce = 32;

/** Reads a catalogue directory; what has not changed since the last reading is not read again. */
export class DirectoryReader {
  readonly #settings: DirectorySettings;
  readonly #apis: ApiFiles;
  #files = new Map<string, KnownFile>();
  /** Of the last fingerprint. What is read has these stamps: if it has changed since, the next fingerprint differs. */
  #stamps = new Map<string, string>();
  constructor(settings: DirectorySettings) {
    this.#settings = settings;
    this.#apis = new ApiFiles(settings.directory);
  }
  /** Changes whenever a reading may differ; costs one stat per file. */
  async fingerprint(): Promise<string> {
    try {
      const names = await offeringFileNames(this.#settings.directory);
      const all = [...names, ...this.#apiFileNames()];
      const stamps = await fileStamps(this.#settings.directory, all);
      this.#stamps = new Map(all.map((name, index) => [name, stamps[index] ?? '']));
      return [...this.#stamps].map(([name, stamp]) => `${name} ${stamp}`).join('\n');
    } catch (error) {
      return codeOf(error);
    }
  }
  /** Reads everything and judges it, and tells each offering that is new or has changed at once. Never throws for what stands in the directory. */
  async read({ notes = false, onOffering = ignore }: ReadOptions = {}): Promise<DirectoryReading> {
    const { directory } = this.#settings;
    let names: readonly string[];
    try {
      names = await offeringFileNames(directory);
    } catch (error) {
      return onlyProblem('.', `the directory ${directory} cannot be read (${codeOf(error)})`, 'create it, or correct MESHBROKER_CATALOG');
    }
    if (names.length === 0)
      return onlyProblem('.', `the directory ${directory} holds no offering file`, 'add a file that ends in .yaml: see docs/offerings.md');
    await this.#readFiles(names, onOffering);
    return this.#judge(notes);
  }
  async #readFiles(names: readonly string[], onOffering: (offering: ServiceOffering) => void): Promise<void> {
    const breathe = breathing();
    const files = new Map<string, KnownFile>();
    const fetch = (from: number): Promise<Fetched[]> => Promise.all(names.slice(from, from + filesAtOnce).map((name) => this.#fetch(name)));
    let next = fetch(0);
    for (let at = 0; at < names.length; at += filesAtOnce) {
      const fetched = await next;
      next = fetch(at + filesAtOnce);
      for (const { name, stamp, text } of fetched) {
        const known = this.#files.get(name);
        const file = text === undefined && known !== undefined ? known : await this.#readFile(name, stamp, text, known, breathe);
        files.set(name, file);
        for (const document of file.documents) {
          const decoded = await this.#decode(document);
          if (decoded !== undefined) onOffering(decoded);
        }
      }
    }
    this.#files = files;
  }
  /** The file's text; undefined: it is known and has not changed. Never throws. */
  async #fetch(name: string): Promise<Fetched> {
    const path = join(this.#settings.directory, name);
    const stamp = this.#stamps.get(name) ?? (await fileStamp(path));
    const known = this.#files.get(name);
    const same = known?.stamp === stamp && known.problem === undefined;
    return { name, stamp, text: same ? undefined : await readText(path, stamp, largestFile) };
  }
  async #readFile(
    file: string,
    stamp: string,
    reading: TextReading = { why: 'cannot be read' },
    before: KnownFile | undefined,
    breathe: Breathe,
  ): Promise<KnownFile> {
    if ('why' in reading) return { stamp, documents: [], problem: problemAt(file, `the file ${reading.why}`, 'correct or remove it') };
    const known = new Map(before?.documents.map((document) => [document.text, document]));
    const documents: FileDocument[] = [];
    for (const { text, linesBefore } of splitDocuments(reading.text)) {
      await breathe();
      const same = known.get(text);
      const document = same?.linesBefore === linesBefore ? same : undefined;
      documents.push(document ?? { file, text, linesBefore, read: same?.read ?? readDocument(text, this.#settings), ...kept(same) });
    }
    if (documents.every(({ read }) => read.kind === 'empty'))
      return { stamp, documents: [], problem: problemAt(file, 'the file holds no offering', 'write one, or remove the file') };
    return { stamp, documents };
  }
  async #judge(notes: boolean): Promise<DirectoryReading> {
    const breathe = breathing();
    const problems: Problem[] = [];
    const named: { readonly document: FileDocument; readonly file: OfferingFile }[] = [];
    const offerings: ServiceOffering[] = [];
    for (const { documents, problem } of this.#files.values()) {
      if (problem !== undefined) problems.push(problem);
      for (const document of documents) {
        await breathe();
        const { read } = document;
        const file = namesOf(read);
        if (file !== undefined) named.push({ document, file });
        problems.push(...(await this.#wrongIn(document)));
        if (read.kind !== 'offering') continue;
        const { decoded } = document;
        if (decoded === undefined) continue;
        if ('findings' in decoded) problems.push(...(await locate(document, decoded.findings)));
        else offerings.push(decoded.offering);
        if (notes) problems.push(...(await locate(document, offeringNotes(read.file, this.#settings))));
      }
    }
    for (const { owner, finding } of findDuplicates(named, ({ document }) => nameLine(document)))
      problems.push(...(await locate(owner.document, [finding])));
    const broken = problems.some(({ severity }) => severity === 'error');
    return { offerings: broken ? [] : offerings, problems: problems.sort(byPlace) };
  }
  /** What makes a document none that could be an offering. */
  async #wrongIn(document: FileDocument): Promise<readonly Problem[]> {
    const { read } = document;
    if (read.kind === 'unreadable') return [unreadable(document, read)];
    return read.kind === 'broken' ? locate(document, [...read.findings, ...(await this.#apiFindings(read))]) : [];
  }
  /** Of a broken document whose list of API files is right. */
  async #apiFindings({ names, findings }: Extract<ReadDocument, { kind: 'broken' }>): Promise<readonly Finding[]> {
    if (names === undefined || findings.some(({ path }) => path[0] === 'apis')) return [];
    return (await this.#readApis(names)).findings;
  }
  async #readApis(file: OfferingFile): Promise<ApiTexts> {
    const texts = new Map<string, string>();
    const findings: Finding[] = [];
    const stamps: string[] = [];
    for (const [index, api] of (file.apis ?? []).entries()) {
      const reading = await this.#apis.read(api);
      stamps.push(reading.stamp);
      if ('text' in reading) texts.set(api.file, reading.text);
      else
        findings.push({
          severity: 'error',
          path: ['apis', index, 'file'],
          what: `apis[${index}].file: ${api.file} ${reading.why}`,
          fix: 'correct the file or its name',
        });
    }
    return { texts, stamps, findings };
  }
  /** Answers an offering that is new or has changed. */
  async #decode(document: FileDocument): Promise<ServiceOffering | undefined> {
    if (document.read.kind !== 'offering') return undefined;
    const { file } = document.read;
    const { texts, stamps, findings } = await this.#readApis(file);
    const apiStamps = stamps.join('\n');
    const { decoded } = document;
    if (findings.length > 0) {
      document.decoded = { findings };
      return undefined;
    }
    if (decoded !== undefined && 'offering' in decoded && decoded.apiStamps === apiStamps) return undefined;
    const offering = this.#onShelf(decodeOffering(file, texts));
    document.decoded = { apiStamps, offering };
    return offering;
  }
  #onShelf(offering: ServiceOffering): ServiceOffering {
    return this.#settings.training ? offering : { ...offering, plans: offering.plans.filter(({ training }) => training === null) };
  }
  #apiFileNames(): readonly string[] {
    const names = new Set<string>();
    for (const { documents } of this.#files.values())
      for (const { read } of documents) if (read.kind === 'offering') for (const { file } of read.file.apis ?? []) names.add(file);
    return [...names];
  }
}
interface ReadOptions {
  readonly notes?: boolean;
  readonly onOffering?: (offering: ServiceOffering) => void;
}
const ignore = (): void => undefined;
function namesOf(read: ReadDocument): OfferingFile | undefined {
  if (read.kind === 'offering') return read.file;
  return read.kind === 'broken' ? read.names : undefined;
}
interface ApiTexts {
  readonly texts: ReadonlyMap<string, string>;
  readonly stamps: readonly string[];
  readonly findings: readonly Finding[];
}
interface Fetched {
  readonly name: string;
  readonly stamp: string;
  readonly text: TextReading | undefined;
}
type TextReading = Awaited<ReturnType<typeof readText>>;
type Breathe = ReturnType<typeof breathing>;
const kept = (document: FileDocument | undefined): Pick<FileDocument, 'decoded'> =>
  document?.decoded === undefined ? {} : { decoded: document.decoded };
/** `reviews.yaml:2`, the line in which an offering says its name. */
const nameLine = ({ file, text, linesBefore }: FileDocument): string =>
  `${file}:${linesBefore + text.slice(0, Math.max(0, text.search(/^name *:/m))).split('\n').length}`;
const problemAt = (file: string, what: string, fix: string, line = 1, column = 1): Problem => ({
  severity: 'error',
  file,
  line,
  column,
  what,
  fix,
});
const onlyProblem = (file: string, what: string, fix: string): DirectoryReading => ({
  offerings: [],
  problems: [problemAt(file, what, fix)],
});
const unreadable = (
  { file, linesBefore }: FileDocument,
  { what, fix, line, column }: Extract<ReadDocument, { kind: 'unreadable' }>,
): Problem => problemAt(file, what, fix, linesBefore + line, column);
/** Loads the slow parser only where there is something to tell. */
async function locate({ file, text, linesBefore }: FileDocument, findings: readonly Finding[]): Promise<readonly Problem[]> {
  if (findings.length === 0) return [];
  const { locator } = await import('./locate.ts');
  const placeOf = locator(text);
  return findings.map(({ severity, path, atKey, what, fix }) => {
    const { line, column } = placeOf(path, atKey === true);
    return { severity, file, line: linesBefore + line, column, what, fix };
  });
}
