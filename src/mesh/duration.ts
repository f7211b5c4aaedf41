const millisecondsPer: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Milliseconds of a duration in Istio's text form (`2s`, `150ms`, `1m30s`, `0.5s`). */
export function milliseconds(text: string): number {
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)) total += Number(digits) * (millisecondsPer[unit ?? ''] ?? 0);
  return Math.round(total);
}
/** Protobuf's JSON form, the only one that Envoy's own messages take: seconds with up to three decimals. */
export const protobufDuration = (text: string): string => `${milliseconds(text) / 1000}s`;
/** Gateway API's form: whole numbers of seconds or milliseconds. */
export function gatewayApiDuration(text: string): string {
  const total = milliseconds(text);
  return total % 1000 === 0 ? `${total / 1000}s` : `${total}ms`;
}
