import { hash } from 'node:crypto';
import type { Transact } from '../kernel/transact.ts';
import { breathing } from './breathe.ts';
import type { CatalogStore, Publication, PublicationKind } from './catalog-store.ts';
import type { ServiceOffering } from './offering.ts';

/** Characters of JSON sent in one statement: its making must not hold up the event loop. */
const batchCharacters = 262_144;
const publications = new WeakMap<ServiceOffering, readonly [Publication, ...Publication[]]>();

/** The offering and its plans as published; computed once per decoded offering. */
function publicationsOf(whole: ServiceOffering): readonly [Publication, ...Publication[]] {
  const known = publications.get(whole);
  if (known !== undefined) return known;
  const { plans, ...offering } = whole;
  const publication = (id: string, name: string, position: number, value: object): Publication => {
    const definition = JSON.stringify(value);
    return {
      id,
      name,
      serviceOfferingId: offering.id,
      position,
      definition,
      contentHash: hash('sha256', `${offering.id} ${position} ${definition}`),
    };
  };
  const made = [
    publication(offering.id, offering.name, 0, offering),
    ...plans.map((plan, position) => publication(plan.id, plan.name, position, plan)),
  ] as const;
  publications.set(whole, made);
  return made;
}
/**
 * Makes the database hold exactly these offerings as present; writes only what differs. Replicas take turns and come to the same
 * rows. May be repeated.
 */
export async function publishCatalog(
  transact: Transact<{ readonly catalog: CatalogStore }>,
  offerings: readonly ServiceOffering[],
): Promise<void> {
  const breathe = breathing();
  const wanted: Record<PublicationKind, Publication[]> = { service_offering: [], plan: [] };
  for (const offering of offerings) {
    await breathe();
    const [head, ...plans] = publicationsOf(offering);
    wanted.service_offering.push(head);
    wanted.plan.push(...plans);
  }
  await transact(async ({ catalog }) => {
    await catalog.lock();
    for (const kind of ['service_offering', 'plan'] as const) {
      const present = await catalog.presentHashes(kind);
      const changed = wanted[kind].filter(({ id, contentHash }) => present.get(id) !== contentHash);
      for (const batch of batches(changed)) await catalog.publish(kind, batch);
      const ids = new Set(wanted[kind].map(({ id }) => id));
      if ([...present.keys()].some((id) => !ids.has(id))) await catalog.retireAllBut(kind, [...ids]);
    }
  });
}
function* batches(all: readonly Publication[]): Generator<readonly Publication[]> {
  let batch: Publication[] = [];
  let size = 0;
  for (const publication of all) {
    batch.push(publication);
    size += publication.definition.length;
    if (size < batchCharacters) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
