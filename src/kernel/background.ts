/** Work that runs at intervals and when woken. Takes no input: all it needs to know is in the database. */
export interface BackgroundTask {
  readonly name: string;
  readonly everyMs: number;
  /** Does at most one bounded batch; true means that there may be more to do now. May be repeated safely. */
  activate(signal: AbortSignal): Promise<boolean>;
}
