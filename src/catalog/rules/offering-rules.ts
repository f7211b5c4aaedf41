import { consumersOf, idsOf } from '../decode-offering.ts';
import type { OfferingFile, PlanFile } from '../offering-file.ts';
import type { DocumentPath, Finding, Report } from '../problem.ts';
import { printPath } from '../problem.ts';
import { checkParameters } from './parameter-rules.ts';
import { checkPlan } from './plan-rules.ts';
import { checkRoutes } from './route-rules.ts';
import { checkService, checkUnique, noteForeignCallers } from './service-rules.ts';

/** What rules must know of the installation. */
export interface RuleSettings {
  /** Life of an issuing certificate: bindings with certificates are valid for half of it at most. */
  readonly issuingLifeSeconds: number;
  /** MESHBROKER_TRAINING: whether training plans are on the shelf. */
  readonly training: boolean;
  /** What the mesh is called, and where in it nothing may be written; absent: not known here. */
  readonly mesh?: { readonly trustDomain: string; readonly rootNamespace?: string };
}

/** Everything that the schema cannot say about one offering. */
export function offeringErrors(file: OfferingFile, settings: RuleSettings): readonly Finding[] {
  const findings: Finding[] = [];
  const report: Report = (path, what, fix) => findings.push({ severity: 'error', path, what, fix });
  checkService(file, settings.mesh?.rootNamespace, report);
  checkUnique(file.plans, ['plans'], ({ name }) => name, 'name', report);
  const { id, planIds } = idsOf(file);
  for (const [index, plan] of file.plans.entries()) {
    const path = ['plans', index];
    if (planIds[index] === id) report([...path, 'id'], `${printPath(path)}.id: is the id of the offering`, 'choose another one');
    checkPlan(file, plan, path, settings.issuingLifeSeconds, report);
    checkRoutes(file, plan, path, report);
    checkParameters(plan, path, report);
  }
  return findings;
}
/** True and worth knowing, but no reason to refuse the file. */
export function offeringNotes(file: OfferingFile, settings: RuleSettings): readonly Finding[] {
  const notes: Finding[] = [];
  const note: Report = (path, what, fix) => notes.push({ severity: 'note', path, what, fix });
  noteNames(file, note);
  noteLength(file.description, ['description'], note);
  if (settings.mesh !== undefined) noteForeignCallers(file.service, settings.mesh.trustDomain, note);
  for (const [index, plan] of file.plans.entries()) {
    const path = ['plans', index];
    noteLength(plan.description, [...path, 'description'], note);
    notePlan(file, plan, path, settings, note);
  }
  return notes;
}
function noteNames(file: OfferingFile, note: Report): void {
  const { id, planIds } = idsOf(file);
  const plans = file.plans.map((plan, index) => ({ name: plan.name, id: planIds[index] ?? '', given: plan.id !== undefined }));
  const nameless = [{ name: file.name, id, given: file.id !== undefined }, ...plans].filter(({ given }) => !given);
  if (nameless.length === 0) return;
  const what = `name: no id is given for ${nameless.map(({ name }) => name).join(', ')}: a new name would be a new offering or plan`;
  note(['name'], what, `before you rename one, add the id it has now: ${nameless.map((each) => `${each.name} ${each.id}`).join(', ')}`);
}
function noteLength(text: string, path: DocumentPath, note: Report): void {
  if (text.length > 255) note(path, `${printPath(path)}: ${text.length} characters`, 'platforms may cut it after 255');
}
function notePlan(file: OfferingFile, plan: PlanFile, path: DocumentPath, { training }: RuleSettings, note: Report): void {
  const at = printPath(path);
  if (plan.training !== undefined && !training)
    note([...path, 'training'], `${at}: a training plan, and not on the shelf`, 'set MESHBROKER_TRAINING=true to have it');
  if (plan.free === false && plan.price === undefined && plan.costs === undefined)
    note([...path, 'free'], `${at}.free: false, and nothing says what it costs`, 'add price or costs');
  noteReach(file, plan, path, note);
}
/** What a kind of consumer does not get. */
function noteReach(file: OfferingFile, plan: PlanFile, path: DocumentPath, note: Report): void {
  const at = `${printPath(path)}.consumers`;
  const kinds = consumersOf(plan);
  const tcp = file.service.ports.find(({ protocol }) => protocol === 'TCP' || protocol === 'TLS');
  if (tcp !== undefined && kinds.includes('off-mesh'))
    note([...path, 'consumers'], `${at}: off-mesh does not reach port ${tcp.number} (${tcp.protocol})`, 'say so in the description');
  if (kinds.includes('ambient') && (plan.routes ?? []).some(({ retries }) => retries !== undefined))
    note(
      [...path, 'consumers'],
      `${at}: a waypoint has retries of its own, so ambient consumers do not get the plan's`,
      'nothing need be done',
    );
}
