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
/** What differs from the database, sent together. */
interface Batch {
  readonly changed: Readonly<Record<PublicationKind, Publication[]>>;
  characters: number;
}
const newBatch = (): Batch => ({ changed: { service_offering: [], plan: [] }, characters: 0 });
const kinds = ['service_offering', 'plan'] as const;

/**
 * Makes the database hold exactly these offerings as present; writes only what differs. Replicas take turns and come to the same
 * rows. May be repeated.
 */
export async function publishCatalog(
  transact: Transact<{ readonly catalog: CatalogStore }>,
  offerings: readonly ServiceOffering[],
): Promise<void> {
  const breathe = breathing();
  await transact(async ({ catalog }) => {
    await catalog.lock();
    const present = { service_offering: await catalog.presentHashes('service_offering'), plan: await catalog.presentHashes('plan') };
    const ids = { service_offering: new Set<string>(), plan: new Set<string>() };
    let batch = newBatch();
    let underWay = Promise.resolve(); // the database writes one batch while the next one is made
    for (const offering of offerings) {
      await breathe();
      for (const [place, publication] of publicationsOf(offering).entries()) {
        const kind = place === 0 ? 'service_offering' : 'plan';
        ids[kind].add(publication.id);
        if (present[kind].get(publication.id) === publication.contentHash) continue;
        batch.changed[kind].push(publication);
        batch.characters += publication.definition.length;
      }
      if (batch.characters < batchCharacters) continue;
      await underWay;
      underWay = write(catalog, batch);
      underWay.catch(() => undefined); // told where it is waited for
      batch = newBatch();
    }
    await underWay;
    await write(catalog, batch);
    for (const kind of kinds)
      if ([...present[kind].keys()].some((id) => !ids[kind].has(id))) await catalog.retireAllBut(kind, [...ids[kind]]);
  });
}
async function write(catalog: CatalogStore, { changed }: Batch): Promise<void> {
  for (const kind of kinds) if (changed[kind].length > 0) await catalog.publish(kind, changed[kind]);
}
