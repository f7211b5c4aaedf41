import type { Report, ReportLine } from './usage-port.ts';

const scale = 1_000_000n;
/** Reports have at most six digits after the point. */
function toMillionths(total: string): bigint {
  const [whole = '0', fraction = ''] = total.split('.');
  return BigInt(whole) * scale + BigInt(fraction.padEnd(6, '0'));
}
function toDecimal(millionths: bigint): string {
  const fraction = String(millionths % scale).padStart(6, '0').replace(/0+$/, ''); // prettier-ignore
  return fraction === '' ? String(millionths / scale) : `${millionths / scale}.${fraction}`;
}

/** What no binding explains, by meter; meters without any are left out. */
export function unattributedPart(lines: readonly ReportLine[]): Report['unattributed'] {
  const sums = new Map<string, { all: bigint; none: bigint }>();
  for (const { meter, total, attributed } of lines) {
    const sum = sums.get(meter) ?? { all: 0n, none: 0n };
    const value = toMillionths(total);
    sums.set(meter, { all: sum.all + value, none: attributed ? sum.none : sum.none + value });
  }
  return [...sums]
    .filter(([, { none }]) => none > 0n)
    .map(([meter, { all, none }]) => ({
      meter,
      total: toDecimal(none),
      share: (Number((none * 10_000n + all / 2n) / all) / 10_000).toFixed(4),
    }));
}
