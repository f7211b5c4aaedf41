import { watch } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { CatalogSource } from '../catalog-source.ts';
import { DirectoryReader } from '../read-directory.ts';
import { defaultIssuingLifeSeconds } from '../lint-catalog.ts';

/** A directory is read when nothing in it has changed for so long: writers need a moment between truncating and filling a file. */
const settledMs = 120;
/** A directory that never comes to rest is read after so many looks all the same (about a second). */
const mostLooks = 8;

/** A reading during which something changed is repeated so often. */
const mostAttempts = 3;
function isWithin(before: string, after: string): boolean {
  const lines = new Set(after.split('\n'));
  return before.split('\n').every((line) => lines.has(line));
}

export interface FileCatalogSettings {
  readonly directory: string;
  /** MESHBROKER_TRAINING: whether training plans are on the shelf. */
  readonly training: boolean;
  /** Life of an issuing certificate; 90 days unless set. */
  readonly issuingLifeSeconds?: number;
}
/** Offerings from the YAML files of a directory. Takes over edits in place, renames, and the symbolic-link swap of a ConfigMap. */
export function fileCatalog(settings: FileCatalogSettings): CatalogSource {
  const reader = new DirectoryReader({ issuingLifeSeconds: defaultIssuingLifeSeconds, ...settings });
  let lastRead: string | undefined;

  /** The fingerprint of a directory that has come to rest. The first reading does not wait: start-up comes after the files. */
  async function settled(signal: AbortSignal): Promise<string> {
    let seen = await reader.fingerprint();
    for (let look = 0; look < mostLooks && lastRead !== undefined; look++) {
      await pause(settledMs, undefined, { signal });
      const now = await reader.fingerprint();
      if (now === seen) break;
      seen = now;
    }
    return seen;
  }
  return {
    name: 'files',
    async readIfChanged(signal) {
      if (lastRead !== undefined && (await reader.fingerprint()) === lastRead) return undefined;
      for (let attempt = 0; ; attempt++) {
        const before = await settled(signal);
        const reading = await reader.read();
        const after = await reader.fingerprint(); // has the descriptions too that were not known before
        if (attempt < mostAttempts && !isWithin(before, after)) continue;
        lastRead = after;
        return reading;
      }
    },
    watch(onChange) {
      try {
        const watcher = watch(settings.directory, { persistent: false }, onChange);
        watcher.on('error', () => {
          watcher.close(); // polling goes on
        });
        return watcher;
      } catch {
        return { close: () => undefined }; // no such directory yet, or no watches left
      }
    },
  };
}
