import { isJsonObject } from '../kernel/json.ts';
import type { Json, JsonObject } from '../kernel/json.ts';
import type { OfferingFile, PlanFile } from './offering-file.ts';
import type { DocumentPath, Finding, Report } from './problem.ts';
import { offeringErrors } from './rules/offering-rules.ts';
import type { RuleSettings } from './rules/offering-rules.ts';
import { checkParameters } from './rules/parameter-rules.ts';
import { checkUnique } from './rules/service-rules.ts';

/** A document that the schema refuses, as far as it can be judged further. */
export interface SoundParts {
  /** Its own names and ids, for the comparison with its neighbours; its API files; nothing else of it may be used. */
  readonly file: OfferingFile;
  /** What the rules say about the parts whose keys and types are right. */
  readonly findings: readonly Finding[];
}

/**
 * So that one run tells as much as possible. `unsound`: paths of what has a wrong type or word, lacks a key or has one that is not known; what
 * stands at `told` has been told, and is not told again. undefined: not even a name can be read.
 */
export function soundParts(
  document: unknown,
  unsound: readonly DocumentPath[],
  told: readonly DocumentPath[],
  settings: RuleSettings,
): SoundParts | undefined {
  if (!isJsonObject(document) || typeof document['name'] !== 'string') return undefined;
  const brokenPlans = new Set(unsound.filter(([key]) => key === 'plans').map(([, index]) => index));
  const plans = itemsOf(document['plans']).map((plan, index) =>
    brokenPlans.has(index) || !isJsonObject(plan) ? namesOf(plan, index) : plan,
  );
  const file = { ...without(document, unsound), name: document['name'], description: '', plans } as unknown as OfferingFile;
  const judged = judge(file, unsound.some(([key]) => key === 'service') || !isJsonObject(document['service']), brokenPlans, settings);
  return { file, findings: judged.filter(({ path }) => !told.some((before) => begins(path, before))) };
}
const itemsOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);

/** Optional parts that are unsound are left out. */
function without(document: JsonObject, unsound: readonly DocumentPath[]): JsonObject {
  const broken = new Set(unsound.map(([key]) => key));
  return Object.fromEntries(
    Object.entries(document).filter(([key]) => !broken.has(key) && (key !== 'id' || typeof document[key] === 'string')),
  );
}
/** A plan that only takes its names; one that cannot be read gets a name that no plan can have. */
function namesOf(plan: Json, index: number): JsonObject {
  const { name, id } = isJsonObject(plan) ? plan : {};
  return { name: typeof name === 'string' ? name : `?${index}`, description: '', ...(typeof id === 'string' ? { id } : {}) };
}
function judge(
  file: OfferingFile,
  serviceIsBroken: boolean,
  brokenPlans: ReadonlySet<unknown>,
  settings: RuleSettings,
): readonly Finding[] {
  const isSound = ({ path: [key, index, of] }: Finding): boolean =>
    key !== 'plans' || !brokenPlans.has(index) || of === 'name' || of === 'id';
  try {
    return (serviceIsBroken ? withoutService(file) : offeringErrors(file, settings)).filter(isSound);
  } catch {
    return []; // a value that the schema has refused, and that a rule cannot take
  }
}
function withoutService({ plans }: OfferingFile): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (path, what, fix) => findings.push({ severity: 'error', path, what, fix });
  checkUnique<PlanFile>(plans, ['plans'], ({ name }) => name, 'name', report);
  for (const [index, plan] of plans.entries()) checkParameters(plan, ['plans', index], report);
  return findings;
}
const begins = (path: DocumentPath, start: DocumentPath): boolean =>
  start.length > 0 && start.length <= path.length && start.every((step, index) => step === path[index]);
