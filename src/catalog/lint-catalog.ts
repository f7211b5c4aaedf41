import type { Problem } from './problem.ts';
import { DirectoryReader } from './read-directory.ts';
import type { RuleSettings } from './rules/offering-rules.ts';

/** Default life of the issuing certificate that bindings are measured by: 90 days. */
export const defaultIssuingLifeSeconds = 90 * 86_400;

/**
 * Every problem of a catalogue directory, by place: errors (the catalogue would not be taken) and notes (true and worth knowing).
 * Print each with `formatProblem`.
 */
export async function lintCatalog(directory: string, options: Partial<RuleSettings> = {}): Promise<readonly Problem[]> {
  const settings = { directory, training: false, issuingLifeSeconds: defaultIssuingLifeSeconds, ...options };
  return (await new DirectoryReader(settings).read({ notes: true })).problems;
}
export const hasErrors = (problems: readonly Problem[]): boolean => problems.some(({ severity }) => severity === 'error');
