import { watch } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { CatalogSource } from '../catalog-source.ts';
import { DirectoryReader } from '../read-directory.ts';
import { defaultIssuingLifeSeconds } from '../lint-catalog.ts';
import type { RuleSettings } from '../rules/offering-rules.ts';

/**
 * Writers need a moment between truncating and filling a file: what was read counts when nothing has changed for so long. It is read
 * meanwhile, because most often nothing has.
 */
const settledMs = 120;
/** Longer than the grain of a file's times: what changes after two equal looks so far apart has other times. */
const grainMs = 20;
/** A directory that never comes to rest is taken as it is read after so long. */
const mostRestlessMs = 1_000;

/** Everything seen before is still so; descriptions may have come that were not known before. */
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
  readonly mesh?: NonNullable<RuleSettings['mesh']>;
}
/** Offerings from the YAML files of a directory. Takes over edits in place, renames, and the symbolic-link swap of a ConfigMap. */
export function fileCatalog(settings: FileCatalogSettings): CatalogSource {
  const reader = new DirectoryReader({ issuingLifeSeconds: defaultIssuingLifeSeconds, ...settings });
  let lastRead: string | undefined;

  /** The fingerprint of a directory that holds still for a moment, or will not. The first reading does not wait: start-up comes after the files. */
  async function still(first: string, until: number, signal: AbortSignal): Promise<string> {
    for (let seen = first; ;) {
      await pause(grainMs, undefined, { signal });
      const now = await reader.fingerprint();
      if (now === seen || performance.now() > until) return now;
      seen = now;
    }
  }
  return {
    name: 'files',
    async readIfChanged(signal, onOffering) {
      let seen = await reader.fingerprint();
      if (seen === lastRead) return undefined;
      const starting = lastRead === undefined;
      const until = performance.now() + mostRestlessMs;
      for (;;) {
        if (!starting) seen = await still(seen, until, signal);
        const settled = starting ? undefined : pause(settledMs, undefined, { signal });
        const [reading] = await Promise.all([reader.read({ onOffering }), settled]);
        const now = await reader.fingerprint();
        const held = isWithin(seen, now);
        if (held || performance.now() > until) {
          lastRead = held ? now : seen; // the next look sees that there is more
          return reading;
        }
        seen = now;
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
