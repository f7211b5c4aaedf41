/** Wall-clock time. Leases, schedules and certificate times come from the database clock instead (operations store). */
export interface Clock {
  now(): Date;
}
export const systemClock: Clock = { now: () => new Date() };
