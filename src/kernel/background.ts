/** Work that runs at intervals and when woken. Takes no input: all it needs to know is in the database. */
export interface BackgroundTask {
  readonly name: string;
  readonly everyMs: number;
  /** Does at most one bounded batch; true means that there may be more to do now. May be repeated safely. */
  activate(signal: AbortSignal): Promise<boolean>;
}
/** Told of what housekeeping has deleted: rows, or partitions dropped. */
export interface CleanUpObserver {
  cleaned(what: string, rows: number): void;
}
/** Tells of each kind of which something was deleted. */
export function tellCleaned(observer: CleanUpObserver | undefined, counts: Readonly<Record<string, number>>): void {
  for (const [what, rows] of Object.entries(counts)) if (rows > 0) observer?.cleaned(what, rows);
}
