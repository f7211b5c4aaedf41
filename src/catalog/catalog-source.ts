import type { ServiceOffering } from './offering.ts';
import type { Problem } from './problem.ts';

export interface CatalogReading {
  /** Everything that the source offers; empty where `problems` has an error. */
  readonly offerings: readonly ServiceOffering[];
  readonly problems: readonly Problem[];
}
/** Where offerings come from. Implementations stand in src/catalog/sources. */
export interface CatalogSource {
  readonly name: string;
  /**
   * The newest reading; undefined: nothing has changed since the last one that was answered. Waits until a change that is under way has
   * settled. Tells each offering that is new or has changed as soon as it is read: the reading may still find it broken or overtaken.
   */
  readIfChanged(signal: AbortSignal, onOffering: (offering: ServiceOffering) => void): Promise<CatalogReading | undefined>;
  /** Calls back soon after something may have changed. A hint only: changes are found without it, a little later. */
  watch(onChange: () => void): { close(): void };
}
