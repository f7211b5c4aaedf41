const millisecondsPer: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Milliseconds of a duration in the form of offering files (`150ms`, `1m30s`, `24h`). */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|h|m|s)/g)) total += Number(digits) * (millisecondsPer[unit ?? ''] ?? 0);
  return total;
}
