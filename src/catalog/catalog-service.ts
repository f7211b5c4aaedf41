import type { BackgroundTask } from '../kernel/background.ts';
import type { Clock } from '../kernel/clock.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Transact } from '../kernel/transact.ts';
import { gateFor, newestGate } from './catalog-json.ts';
import type { CatalogGate } from './catalog-json.ts';
import type { Catalog, CatalogEntry } from './catalog-port.ts';
import type { CatalogReading, CatalogSource } from './catalog-source.ts';
import type { CatalogStore } from './catalog-store.ts';
import type { Plan, ServiceOffering, ShelfOffering } from './offering.ts';
import { whyParametersDoNotFit } from './parameters.ts';
import type { Problem } from './problem.ts';
import { formatProblem } from './problem.ts';
import { CatalogPublication } from './publish.ts';
import { buildRepresentations, prepareRepresentations } from './representation.ts';
import type { CatalogRepresentation, CatalogRepresentations } from './representation.ts';
import type { RetiredPlan, Shelf } from './shelf.ts';
import { buildShelf } from './shelf.ts';

export interface CatalogDependencies {
  readonly source: CatalogSource;
  readonly store: CatalogStore;
  readonly transact: Transact<{ readonly catalog: CatalogStore }>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where clients reach the broker, without a slash at the end: links to API descriptions begin with it. */
  readonly publicUrl: string;
}
export interface CatalogStatus {
  /** Counts the catalogues taken over by this process; 0: none yet. */
  readonly version: number;
  readonly loadedAt: Date | null;
  /** Why the newest files are not on the shelf; empty: they are. */
  readonly problems: readonly Problem[];
  readonly offerings: number;
  readonly plans: number;
}
/** What the first load came to: files taken; files broken and the last published catalogue taken instead; or nothing to offer. */
export type CatalogLoad = { readonly kind: 'taken' } | { readonly kind: 'kept' | 'empty'; readonly problems: readonly Problem[] };

/** How often the database is asked whether other replicas published and whether retired plans still have instances. */
const retiredEveryMs = 5_000;
const pollEveryMs = 1_000;
const mostLogged = 20;

/** The catalogue of this process: answers from memory, follows its source, publishes to the database. */
export class CatalogService implements Catalog {
  readonly #deps: CatalogDependencies;
  #present: readonly ServiceOffering[] = [];
  #retired: readonly RetiredPlan[] = [];
  #live: ReadonlySet<string> = new Set();
  #storeRevision = '';
  #retiredCheckedAt = 0;
  #shelf: Shelf = buildShelf([], [], new Set());
  #representations: CatalogRepresentations | undefined;
  #compressed: Promise<void> = Promise.resolve();
  /** What clients have asked for: made before a new catalogue is shown. */
  readonly #gates = new Set<CatalogGate>([newestGate]);
  #status: CatalogStatus = { version: 0, loadedAt: null, problems: [], offerings: 0, plans: 0 };
  #lastModified = 0;
  /** Read, and not yet taken over because the database was away. */
  #pending: readonly ServiceOffering[] | undefined;

  constructor(deps: CatalogDependencies) {
    this.#deps = deps;
  }
  find(serviceOfferingId: string, planId: string): CatalogEntry | undefined {
    return this.#shelf.find(serviceOfferingId, planId);
  }
  hasOffering(serviceOfferingId: string): boolean {
    return this.#shelf.offeringById(serviceOfferingId) !== undefined;
  }
  offeringNamed(name: string): ServiceOffering | undefined {
    return this.#shelf.offeringNamed(name);
  }
  offeringById(id: string): ServiceOffering | undefined {
    return this.#shelf.offeringById(id);
  }
  /** What the catalogue lists now, by name. */
  listed(): readonly ShelfOffering[] {
    return this.#shelf.listed;
  }
  whyParametersAreRefused(plan: Plan, kind: 'create' | 'update' | 'bind', parameters: JsonObject): string | undefined {
    return whyParametersDoNotFit(plan.schemas[kind], parameters);
  }
  /** GET /v2/catalog for a client of API 2.`apiMinor`. Valid after `load`. */
  representation(apiMinor: number): CatalogRepresentation {
    if (this.#representations === undefined) throw new Error('the catalogue is loaded before it is asked for');
    this.#gates.add(gateFor(apiMinor));
    return this.#representations(apiMinor);
  }
  /** Settles when the compressed forms of the newest catalogue are there. */
  get compressed(): Promise<void> {
    return this.#compressed;
  }
  catalogStatus(): CatalogStatus {
    return this.#status;
  }
  /** At start-up, once: from the source, or where that is broken as it was last published. */
  async load(signal: AbortSignal): Promise<CatalogLoad> {
    const problems = await this.#publishing(async (publication) => {
      const reading = await this.#read(signal, publication);
      const errors = errorsOf(reading?.problems ?? []);
      if (errors.length === 0) await this.#takeOver(reading?.offerings ?? [], publication);
      return errors;
    });
    if (problems.length === 0) return { kind: 'taken' };
    this.#tell(problems);
    const last = await this.#deps.store.lastPublished();
    await this.#show(last);
    return { kind: last.length > 0 ? 'kept' : 'empty', problems };
  }
  /** Follows the source and the other replicas. Wake it by `CatalogSource.watch`. */
  refreshTask(): BackgroundTask {
    return {
      name: 'catalog-refresh',
      everyMs: pollEveryMs,
      activate: async (signal) => {
        await this.#refresh(signal);
        return false;
      },
    };
  }
  async #refresh(signal: AbortSignal): Promise<void> {
    await this.#publishing(async (publication) => {
      const reading = await this.#read(signal, publication);
      if (reading !== undefined) {
        const problems = errorsOf(reading.problems);
        this.#pending = problems.length === 0 ? reading.offerings : undefined;
        this.#tell(problems);
      }
      if (this.#pending !== undefined) await this.#takeOver(this.#pending, publication);
    });
    await this.#followDatabase();
  }
  #read(signal: AbortSignal, publication: CatalogPublication): Promise<CatalogReading | undefined> {
    return this.#deps.source.readIfChanged(signal, (offering) => {
      publication.add(offering);
    });
  }
  /** What `work` has not completed is abandoned. */
  async #publishing<T>(work: (publication: CatalogPublication) => Promise<T>): Promise<T> {
    const publication = new CatalogPublication(this.#deps.transact);
    try {
      return await work(publication);
    } finally {
      await publication.abandon();
    }
  }
  #tell(problems: readonly Problem[]): void {
    this.#status = { ...this.#status, problems };
    for (const problem of problems.slice(0, mostLogged))
      this.#deps.logger.error({ ...problem }, `the catalogue stays as it was: ${formatProblem(problem)}`);
  }
  async #takeOver(offerings: readonly ServiceOffering[], publication: CatalogPublication): Promise<void> {
    this.#pending = offerings;
    await Promise.all([publication.complete(offerings), prepareRepresentations(offerings, this.#deps.publicUrl, this.#gates)]);
    await this.#show(offerings);
    this.#pending = undefined;
    const { offerings: count, plans } = this.#status;
    this.#deps.logger.info({ offerings: count, plans }, 'the catalogue was taken over');
  }
  async #show(offerings: readonly ServiceOffering[]): Promise<void> {
    this.#present = offerings;
    await this.#readRetired(await this.#deps.store.revision());
    await this.#rebuild();
    const plans = offerings.reduce((sum, offering) => sum + offering.plans.length, 0);
    const { version, problems } = this.#status;
    this.#status = { version: version + 1, loadedAt: this.#deps.clock.now(), problems, offerings: offerings.length, plans };
  }
  async #readRetired(revision: string): Promise<void> {
    const presentIds = this.#present.flatMap(({ plans }) => plans.map(({ id }) => id));
    this.#retired = await this.#deps.store.retired(presentIds);
    this.#live = await this.#deps.store.withInstances(this.#retired.map(({ plan }) => plan.id));
    this.#storeRevision = revision;
    this.#retiredCheckedAt = this.#deps.clock.now().getTime();
  }
  async #followDatabase(): Promise<void> {
    if (this.#deps.clock.now().getTime() - this.#retiredCheckedAt < retiredEveryMs) return;
    const { store } = this.#deps;
    const revision = await store.revision();
    if (revision !== this.#storeRevision) {
      await this.#readRetired(revision);
      return this.#rebuild();
    }
    const live = await store.withInstances(this.#retired.map(({ plan }) => plan.id));
    this.#retiredCheckedAt = this.#deps.clock.now().getTime();
    if (live.size === this.#live.size && [...live].every((id) => this.#live.has(id))) return;
    this.#live = live;
    await this.#rebuild();
  }
  async #rebuild(): Promise<void> {
    const shelf = buildShelf(this.#present, this.#retired, this.#live);
    const lastModified = Math.max(Math.floor(this.#deps.clock.now().getTime() / 1000), this.#lastModified + 1);
    const built = await buildRepresentations(shelf.listed, this.#deps.publicUrl, new Date(lastModified * 1000), this.#gates);
    if (this.#representations?.(17).etag === built.forVersion(17).etag) {
      this.#shelf = shelf;
      return;
    }
    this.#lastModified = lastModified;
    this.#shelf = shelf;
    this.#representations = built.forVersion;
    this.#compressed = built
      .complete(() => this.#representations !== built.forVersion)
      .catch((error: unknown) => {
        this.#deps.logger.warn({ error }, 'the catalogue is served uncompressed');
      });
  }
}
const errorsOf = (problems: readonly Problem[]): readonly Problem[] => problems.filter(({ severity }) => severity === 'error');
