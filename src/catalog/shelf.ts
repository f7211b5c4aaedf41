import { sha256Hex } from '../kernel/ids.ts';
import type { CatalogEntry } from './catalog-port.ts';
import type { Plan, ServiceOffering, ShelfOffering } from './offering.ts';

/** A plan that left its source, with its offering as it last was there. */
export interface RetiredPlan {
  readonly offering: Omit<ServiceOffering, 'plans'>;
  readonly plan: Plan;
}
/** The catalogue in memory: immutable, replaced as a whole. */
export interface Shelf {
  find(serviceOfferingId: string, planId: string): CatalogEntry | undefined;
  /** Of the source, else as it last was. */
  offeringById(id: string): ServiceOffering | undefined;
  offeringNamed(name: string): ServiceOffering | undefined;
  /** What the catalogue lists, by name: offerings of the source with a plan, and retired plans that still have instances. */
  readonly listed: readonly ShelfOffering[];
}
interface Slot {
  readonly offering: ServiceOffering;
  readonly present: boolean;
  readonly plans: Map<string, { readonly plan: Plan; readonly present: boolean }>;
}

/** Puts together what the source offers and what instances still need. Pure. */
export function buildShelf(present: readonly ServiceOffering[], retired: readonly RetiredPlan[], livePlanIds: ReadonlySet<string>): Shelf {
  const slots = new Map<string, Slot>();
  const names = new Map<string, ServiceOffering>();
  for (const offering of present) {
    const plans = new Map(offering.plans.map((plan) => [plan.id, { plan, present: true }]));
    slots.set(offering.id, { offering, present: true, plans });
    names.set(offering.name, offering);
  }
  for (const { offering, plan } of retired) {
    const slot = slots.get(offering.id) ?? { offering: { ...offering, plans: [] }, present: false, plans: new Map() };
    slots.set(offering.id, slot);
    if (!slot.plans.has(plan.id)) slot.plans.set(plan.id, { plan, present: false });
    if (!names.has(offering.name)) names.set(offering.name, slot.offering);
  }
  return {
    find(serviceOfferingId, planId) {
      const slot = slots.get(serviceOfferingId);
      const found = slot?.plans.get(planId);
      if (slot === undefined || found === undefined) return undefined;
      return {
        offering: slot.offering,
        plan: found.plan,
        orderable: found.present,
        why: found.present ? null : whyNotOrderable(slot, found.plan),
      };
    },
    offeringById: (id) => slots.get(id)?.offering,
    offeringNamed: (name) => names.get(name),
    listed: listing([...slots.values()], livePlanIds),
  };
}
function whyNotOrderable({ offering, present }: Slot, plan: Plan): string {
  if (!present || offering.plans.length === 0) return `service offering "${offering.name}" has left the catalogue: choose another one`;
  const others = offering.plans.map(({ name }) => name).join(', ');
  return `plan "${plan.name}" of service offering "${offering.name}" has left the catalogue: choose another one (${others})`;
}
function listing(slots: readonly Slot[], livePlanIds: ReadonlySet<string>): readonly ShelfOffering[] {
  const taken = new Set(slots.filter(({ present }) => present).map(({ offering }) => offering.name));
  const listed: ShelfOffering[] = [];
  for (const slot of slots) {
    const { offering, present } = slot;
    const live = [...slot.plans.values()].filter((each) => !each.present && livePlanIds.has(each.plan.id)).map(({ plan }) => plan);
    if (offering.plans.length + live.length === 0) continue; // CAT-06
    const orderablePlanIds = new Set(offering.plans.map(({ id }) => id));
    const name = present ? offering.name : freeName(offering.name, offering.id, taken);
    const plans = [...offering.plans, ...renamed(offering, live)];
    const same = live.length === 0 && name === offering.name;
    const whole = same ? offering : { ...offering, name, plans, apis: name === offering.name ? offering.apis : [] }; // links go by name
    listed.push({ offering: whole, orderable: orderablePlanIds.size > 0, orderablePlanIds });
  }
  return listed.sort((a, b) => (a.offering.name < b.offering.name ? -1 : 1));
}
function renamed(offering: ServiceOffering, live: readonly Plan[]): readonly Plan[] {
  const taken = new Set(offering.plans.map(({ name }) => name));
  const sorted = live.toSorted((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
  return sorted.map((plan) => ({ ...plan, name: freeName(plan.name, plan.id, taken) }));
}
/** Names stay unique in the catalogue (CAT-03, CAT-17) where a newcomer took the name of what has left. */
function freeName(name: string, id: string, taken: Set<string>): string {
  const free = taken.has(name) ? `${name}-retired-${sha256Hex(id).slice(0, 6)}` : name;
  taken.add(free);
  return free;
}
