/**
 * Crash points: named places around every port call where a test may kill, pause or fail the process. No-op otherwise.
 * Names are those of docs/architecture.md ("Crash points"): C1–C5, W1–W11, G1–G5, D1–D5, M1–M4, R7, R8.
 */
export type PointName =
  | 'C1' | 'C2' | 'C3' | 'C4' | 'C5'
  | 'W1' | 'W2' | 'W3' | 'W4' | 'W5' | 'W6' | 'W7' | 'W8' | 'W9' | 'W10' | 'W11'
  | 'G1' | 'G2' | 'G3' | 'G4' | 'G5'
  | 'D1' | 'D2' | 'D3' | 'D4' | 'D5'
  | 'M1' | 'M2' | 'M3' | 'M4'
  | 'R7' | 'R8'; // prettier-ignore

export type PointHook = (name: PointName) => Promise<void> | void;
let hook: PointHook | undefined;

/** Tests only (src/main.ts installs one when MESHBROKER_CRASH_AT is set, for the kill suite). */
export function installPointHook(next: PointHook | undefined): void {
  hook = next;
}
export async function point(name: PointName): Promise<void> {
  if (hook !== undefined) await hook(name);
}
