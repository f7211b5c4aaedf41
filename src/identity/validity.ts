const wholeSeconds = (time: number): Date => new Date(Math.floor(time / 1000) * 1000);
/** Start of validity: 60 s before `now`, in whole seconds, for relying parties whose clocks are late. */
export const backdated = (now: Date): Date => wholeSeconds(now.getTime() - 60_000);
export const secondsAfter = (time: Date, seconds: number): Date => wholeSeconds(time.getTime() + seconds * 1000);
