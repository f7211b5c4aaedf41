/** An attribution as stored, for finding an event's subject. Times in milliseconds. */
export interface AttributionLine {
  readonly bindingRef: string;
  readonly lineageId: string;
  readonly principal: string;
  readonly hosts: readonly string[];
  readonly subjectId: number;
  readonly from: number;
  readonly to: number;
}
export interface Attributable {
  readonly time: Date;
  readonly principal: string;
  readonly host: string;
  readonly bindingRef: string;
}
/** A request that was under way when its grant ended is still the binding's. */
const graceMs = 60_000;

/**
 * Whose an event is: the binding that the policy names, at that time; else of the bindings of this principal to this host the oldest
 * live one. undefined: no binding explains it.
 */
export function resolve(
  event: Attributable,
  byRef: ReadonlyMap<string, readonly AttributionLine[]>,
  byPrincipal: ReadonlyMap<string, readonly AttributionLine[]>,
): number | undefined {
  const at = event.time.getTime();
  const named = event.bindingRef === '' ? undefined : liveAt(byRef.get(event.bindingRef) ?? [], at);
  if (named !== undefined) return named.subjectId;
  const candidates = (byPrincipal.get(event.principal) ?? []).filter(
    ({ hosts }) => event.host === '' || hosts.some((host) => names(host, event.host)),
  );
  return liveAt(candidates, at)?.subjectId;
}
/** `reviews`, `reviews.bookinfo` and `reviews.bookinfo.svc` are short for the service's full name. */
const names = (full: string, host: string): boolean => full === host || (full.startsWith(`${host}.`) && /\.svc(\.|$)/.test(full));

function liveAt(lines: readonly AttributionLine[], at: number): AttributionLine | undefined {
  const within = (grace: number): AttributionLine | undefined =>
    lines
      .filter(({ from, to }) => from <= at && at < to + grace)
      .toSorted((a, b) => a.from - b.from || (a.bindingRef < b.bindingRef ? -1 : 1))[0];
  return within(0) ?? within(graceMs);
}
