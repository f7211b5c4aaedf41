/** One line of the benchmark: what we reach, measured in the same run as the ceiling. */
export interface Figure {
  readonly name: string;
  /** Median over the rounds. */
  readonly value: number;
  readonly unit: string;
  /** The same unit; 0: a figure that is quoted without a ceiling. */
  readonly ceiling: number;
  /** value / ceiling, median of the rounds' own ratios. */
  readonly ratio: number;
  readonly rounds: number;
}
export interface Round {
  readonly value: number;
  readonly ceiling: number;
}
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
/** Rounds alternate ours and the ceiling, so that a busy moment of the machine touches both. */
export function figureOf(name: string, unit: string, rounds: readonly Round[]): Figure {
  const ratios = rounds.map(({ value, ceiling }) => (ceiling === 0 ? Number.NaN : value / ceiling));
  return {
    name,
    unit,
    value: median(rounds.map(({ value }) => value)),
    ceiling: median(rounds.map(({ ceiling }) => ceiling)),
    ratio: median(ratios),
    rounds: rounds.length,
  };
}
/** Measures ceiling and ours in turn. */
export async function alternate(
  name: string,
  unit: string,
  rounds: number,
  ours: () => Promise<number>,
  top: () => Promise<number>,
): Promise<Figure> {
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ceiling = await top();
    measured.push({ ceiling, value: await ours() });
  }
  return figureOf(name, unit, measured);
}
