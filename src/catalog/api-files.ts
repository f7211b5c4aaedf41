import { join } from 'node:path';
import { CORE_SCHEMA, load } from 'js-yaml';
import { isJsonObject } from '../kernel/json.ts';
import { fileStamp, largestApiFile, readText, staysWithin } from './catalog-files.ts';
import type { ApiFile } from './offering-file.ts';

/** An API description as read: its text, or why it cannot be used. */
export type ApiReading = { readonly stamp: string } & ({ readonly text: string } | { readonly why: string });

/** Reads API descriptions, each only when it has changed. */
export class ApiFiles {
  readonly #directory: string;
  readonly #readings = new Map<string, ApiReading>();
  constructor(directory: string) {
    this.#directory = directory;
  }
  async read(api: ApiFile): Promise<ApiReading> {
    const path = join(this.#directory, api.file);
    const key = `${api.kind} ${api.file}`;
    const stamp = await fileStamp(path);
    const known = this.#readings.get(key);
    if (known?.stamp === stamp) return known;
    const reading = { stamp, ...(await this.#judge(api, path, stamp)) };
    this.#readings.set(key, reading);
    return reading;
  }
  async #judge(api: ApiFile, path: string, stamp: string): Promise<{ readonly text: string } | { readonly why: string }> {
    if (!(await staysWithin(this.#directory, path))) return { why: 'is a link that leaves the catalogue' };
    const reading = await readText(path, stamp, largestApiFile);
    if ('why' in reading) return reading;
    const why = whyNotDescription(api.kind, reading.text);
    return why === undefined ? reading : { why };
  }
}
function whyNotDescription(kind: ApiFile['kind'], text: string): string | undefined {
  if (kind === 'grpc') return /^\s*(?:service|message|syntax|edition)\b/m.test(text) ? undefined : 'does not look like a .proto file';
  try {
    const document = load(text, { schema: CORE_SCHEMA, maxAliases: 100, maxDepth: 100 });
    return isJsonObject(document) && kind in document ? undefined : `has no key ${kind} at its top`;
  } catch {
    return 'is neither YAML nor JSON';
  }
}
