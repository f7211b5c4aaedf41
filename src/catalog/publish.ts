import { hash } from 'node:crypto';
import type { Transact } from '../kernel/transact.ts';
import { breathing } from './breathe.ts';
import type { CatalogStore, Publication, PublicationKind } from './catalog-store.ts';
import { jsonText, openText } from './json-text.ts';
import type { Plan, ServiceOffering } from './offering.ts';

type Hashes = Readonly<Record<PublicationKind, Map<string, string>>>;
const kinds = ['service_offering', 'plan'] as const;
const kindAt = (place: number): PublicationKind => (place === 0 ? 'service_offering' : 'plan');

const planText = ({ schemas: { create, update, bind }, ...plan }: Plan): string =>
  `${openText(plan)}"schemas":{"create":${jsonText(create)},"update":${jsonText(update)},"bind":${jsonText(bind)}}}`;

/** The offering and its plans as published. */
function publicationsOf({ plans, ...offering }: ServiceOffering): readonly Publication[] {
  const publication = (id: string, name: string, position: number, definition: string): Publication => ({
    id,
    name,
    serviceOfferingId: offering.id,
    position,
    definition,
    contentHash: hash('sha256', `${offering.id} ${position} ${definition}`),
  });
  return [
    publication(offering.id, offering.name, 0, JSON.stringify(offering)),
    ...plans.map((plan, position) => publication(plan.id, plan.name, position, planText(plan))),
  ];
}
/** What was published of an offering that has not changed need not be serialised again to know that it is there. */
const published = new WeakMap<ServiceOffering, readonly Pick<Publication, 'id' | 'contentHash'>[]>();

/** Characters of JSON sent in one statement: its making must not hold up the event loop. */
const batchCharacters = 1_572_864;
/** By id: of two states of a file that is being written the later one counts. */
type Batch = Readonly<Record<PublicationKind, Map<string, Publication>>>;
const newBatch = (): Batch => ({ service_offering: new Map(), plan: new Map() });

/** Sends what differs from the database, in batches: one is written there while the next one is made. */
class Writer {
  readonly #catalog: CatalogStore;
  readonly #present: Hashes;
  #batch = newBatch();
  #characters = 0;
  #underWay = Promise.resolve();
  constructor(catalog: CatalogStore, present: Hashes) {
    this.#catalog = catalog;
    this.#present = present;
  }
  async write(offering: ServiceOffering): Promise<void> {
    const isThere = ({ id, contentHash }: Pick<Publication, 'id' | 'contentHash'>, place: number): boolean =>
      this.#present[kindAt(place)].get(id) === contentHash;
    if (published.get(offering)?.every(isThere) === true) return;
    const publications = publicationsOf(offering);
    published.set(
      offering,
      publications.map(({ id, contentHash }) => ({ id, contentHash })),
    );
    for (const [place, publication] of publications.entries()) {
      if (isThere(publication, place)) continue;
      this.#present[kindAt(place)].set(publication.id, publication.contentHash);
      this.#batch[kindAt(place)].set(publication.id, publication);
      this.#characters += publication.definition.length;
    }
    if (this.#characters >= batchCharacters) await this.#send();
  }
  /** Everything is written. */
  async end(): Promise<void> {
    await this.#send();
    await this.#underWay;
  }
  async #send(): Promise<void> {
    await this.#underWay;
    const batch = this.#batch;
    this.#batch = newBatch();
    this.#characters = 0;
    this.#underWay = this.#publish(batch);
    this.#underWay.catch(() => undefined); // told where it is waited for
  }
  async #publish(batch: Batch): Promise<void> {
    for (const kind of kinds) if (batch[kind].size > 0) await this.#catalog.publish(kind, [...batch[kind].values()]);
  }
}

/**
 * A catalogue on its way into the database, in one transaction: offerings may come one by one while their source is still being read,
 * and nothing of them is to be seen before all are there. Begins with the first that comes; end it with `complete` or `abandon`.
 */
export class CatalogPublication {
  readonly #transact: Transact<{ readonly catalog: CatalogStore }>;
  readonly #come: ServiceOffering[] = [];
  #whole: readonly ServiceOffering[] | 'abandoned' | undefined;
  #more = Promise.withResolvers<undefined>();
  #done: Promise<void> | undefined;
  constructor(transact: Transact<{ readonly catalog: CatalogStore }>) {
    this.#transact = transact;
  }
  /** One that will most likely be among those of `complete`. */
  add(offering: ServiceOffering): void {
    if (this.#whole !== undefined) return;
    this.#come.push(offering);
    void this.#go();
  }
  /**
   * Makes the database hold exactly these offerings as present; writes only what differs. Replicas take turns and come to the same
   * rows. When it fails, nothing was written.
   */
  async complete(offerings: readonly ServiceOffering[]): Promise<void> {
    this.#whole = offerings;
    await this.#go();
  }
  /** Leaves the database as it was; nothing after `complete`. */
  async abandon(): Promise<void> {
    if (this.#whole !== undefined) return;
    this.#whole = 'abandoned';
    this.#more.resolve(undefined);
    await this.#done?.catch(() => undefined);
  }
  #go(): Promise<void> {
    if (this.#done === undefined) {
      this.#done = this.#transact(({ catalog }) => this.#publish(catalog));
      this.#done.catch(() => undefined); // told by `complete`
    }
    this.#more.resolve(undefined);
    return this.#done;
  }
  async #publish(catalog: CatalogStore): Promise<void> {
    await catalog.lock();
    const present = { service_offering: await catalog.presentHashes('service_offering'), plan: await catalog.presentHashes('plan') };
    const writer = new Writer(catalog, present);
    const offerings = await this.#follow(writer);
    const breathe = breathing();
    for (const offering of offerings) {
      await breathe();
      await writer.write(offering);
    }
    await writer.end();
    const ids = {
      service_offering: new Set(offerings.map(({ id }) => id)),
      plan: new Set(offerings.flatMap(({ plans }) => plans.map(({ id }) => id))),
    };
    for (const kind of kinds)
      if ([...present[kind].keys()].some((id) => !ids[kind].has(id))) await catalog.retireAllBut(kind, [...ids[kind]]);
  }
  /** Writes what comes, until all are known. */
  async #follow(writer: Writer): Promise<readonly ServiceOffering[]> {
    for (let at = 0; this.#whole === undefined;) {
      const offering = this.#come[at];
      if (offering === undefined) {
        this.#more = Promise.withResolvers();
        await this.#more.promise;
      } else {
        await writer.write(offering);
        at += 1;
      }
    }
    if (this.#whole === 'abandoned') throw new Error('the catalogue is not to be published');
    return this.#whole;
  }
}
