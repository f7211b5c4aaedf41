import { hostname } from 'node:os';
import type { Server } from 'node:http';
import { accessChanges, type AccessChanges } from './access/access-changes.ts';
import { pgAccessStore } from './access/access-store.pg.ts';
import { authentication, type Authentication } from './access/authentication.ts';
import { PlatformService } from './access/platform-service.ts';
import { asMounted } from './api/mount.ts';
import { osbContract } from './api/osb/contract.ts';
import type { Readiness } from './api/ports.ts';
import { createHttpServer } from './api/server.ts';
import type { AppConfig, AppParts } from './app/app-settings.ts';
import { counted, measured } from './app/measured.ts';
import { meshDriverOf } from './app/mesh-driver.ts';
import { readinessOf } from './app/readiness.ts';
import { recipesOf } from './app/recipes.ts';
import { storesOn, type Stores } from './app/stores.ts';
import { pgAuditLog } from './audit/audit-log.pg.ts';
import { pgAuditTrail } from './audit/audit-trail.pg.ts';
import { denialLog } from './audit/denials.ts';
import { createBindingService } from './bindings/binding-service.ts';
import { expireBindings } from './bindings/expire-bindings.ts';
import { CatalogService, type CatalogLoad } from './catalog/catalog-service.ts';
import type { CatalogSource } from './catalog/catalog-source.ts';
import { pgCatalogStore } from './catalog/catalog-store.pg.ts';
import { fileCatalog } from './catalog/sources/files.ts';
import type { BindingCertificates } from './identity/identity-port.ts';
import { createIdentity, type Identity } from './identity/issuers/built-in-ca.pg.ts';
import { brokerSecret, type BrokerSecret } from './identity/secret.ts';
import { createInstanceService } from './instances/instance-service.ts';
import type { BackgroundTask } from './kernel/background.ts';
import type { Random } from './kernel/random.ts';
import type { SqlDatabase } from './kernel/sql.ts';
import type { Transact } from './kernel/transact.ts';
import { meshExposure } from './mesh/exposure-service.ts';
import type { MeshDriver } from './mesh/mesh-driver.ts';
import { routeCheck, type RouteCheck } from './mesh/route-check.ts';
import { runnerObserver } from './observe/runner-observer.ts';
import { pgInventory } from './operations/inventory.pg.ts';
import { Runner } from './operations/runner.ts';
import type { Recipes } from './operations/step.ts';
import { createUsage } from './usage/create-usage.pg.ts';

/** All rooms, opened. Nothing runs yet: the process listens, starts the runner and the tasks, and closes in the other order. */
export interface App {
  readonly http: Server;
  readonly runner: Runner<Stores>;
  /** How operations are done, and on what: for tests that take steps one by one. */
  readonly operations: { readonly stores: Stores; readonly transact: Transact<Stores>; readonly recipes: Recipes<Stores> };
  readonly tasks: readonly BackgroundTask[];
  readonly platforms: PlatformService;
  readonly accessChanges: AccessChanges;
  readonly catalog: CatalogService;
  readonly catalogLoad: CatalogLoad;
  readonly readiness: Readiness & { stopping(): void };
  readonly driver: MeshDriver;
  /** Calls back soon after offerings may have changed: wake the task `catalog-refresh`. */
  watchCatalog(onChange: () => void): { close(): void };
  close(): Promise<void>;
}

/** The composition root: the only place that knows every room. The database is migrated before. */
export async function createApp(config: AppConfig, parts: AppParts): Promise<App> {
  const { database, secret: secretBytes, clock, random, logger, metrics, publicUrl, gatewayCaPem } = parts;
  const secret = brokerSecret(secretBytes);
  const usage = createUsage({ database, clock, observer: metrics, settings: { keepDays: config.keep.usageDays } });
  const bind = storesOn(usage);
  const stores = bind(database);
  const transact: Transact<Stores> = (work) => database.transaction((tx) => work(bind(tx)));

  const source = catalogSourceOf(config);
  const catalog = catalogOf(source, parts);
  const catalogLoad = await catalog.load(AbortSignal.timeout(60_000));
  const { certificates, tasks: identityTasks } = identityOf(config, secret, parts);
  const driver = measured(parts.driver ?? meshDriverOf(config, parts), metrics);
  const routes = routeCheck(stores.scopes, config.mesh.settings);
  const { runner, recipes } = runnerOf(config, parts, { transact, stores, catalog, driver, certificates, routes });
  const services = { catalog, stores, transact, runner, random, routes, syncTimeoutMs: config.operations.syncTimeoutMs };
  const instances = createInstanceService(services);
  const bindings = createBindingService({ ...services, certificates, settings: config.mesh.settings, publicUrl, gatewayCaPem });

  const { platforms, access, changes } = accessOf(database, secret, random);
  const denials = denialLog(pgAuditLog(database), logger);
  const readiness = readinessOf({ database, catalog, driver, runner });
  const http = await createHttpServer({
    clock,
    random,
    logger,
    metrics,
    settings: { tls: parts.tls, trustProxy: config.trustProxy, maxConnections: config.maxConnections, failureLimit: config.failureLimit },
    authentication: access,
    accessChanges: changes,
    denials,
    platforms,
    inventory: pgInventory(database, runner, random),
    auditTrail: pgAuditTrail(database),
    usageIngestion: counted(usage.ingestion, metrics),
    usageReports: usage.reports,
    catalog,
    catalogPages: catalog,
    certificates,
    readiness,
    osb: asMounted(osbContract({ instances, bindings, catalogPages: catalog, settings: config.osb, logger })),
  });
  return {
    http,
    runner,
    operations: { stores, transact, recipes },
    platforms,
    accessChanges: changes,
    catalog,
    catalogLoad,
    readiness,
    driver,
    tasks: [catalog.refreshTask(), expireBindings(stores, transact, runner, random), denials.task, ...identityTasks, ...usage.tasks],
    watchCatalog: (onChange) => source.watch(onChange),
    close: () => driver.close(),
  };
}

interface RunnerParts {
  readonly transact: Transact<Stores>;
  readonly stores: Stores;
  readonly catalog: CatalogService;
  readonly driver: MeshDriver;
  readonly certificates: BindingCertificates;
  readonly routes: RouteCheck;
}
function runnerOf(
  { mesh: { settings }, operations: { concurrency, stepTimeoutMs } }: AppConfig,
  { random, logger, clock, metrics }: AppParts,
  { transact, stores, catalog, driver, certificates, routes }: RunnerParts,
): { readonly runner: Runner<Stores>; readonly recipes: Recipes<Stores> } {
  const mesh = meshExposure({ transact, scopes: stores.scopes, driver, settings, logger, membersChanged: routes.changed });
  const recipes = recipesOf({ catalog, stores, transact, mesh, certificates, settings });
  const owner = `${hostname()}:${process.pid}:${random.uuid().slice(0, 8)}`;
  const execution = { transact, stores, recipes, random, logger, stepTimeoutMs };
  const runner = new Runner<Stores>(execution, { owner, concurrency, heartbeatMs: 3_000, pollMs: 1_000 }, runnerObserver(metrics, clock));
  return { runner, recipes };
}

const identityOf = ({ identity }: AppConfig, secret: BrokerSecret, { database, clock, random, metrics }: AppParts): Identity =>
  createIdentity({ db: database, secret, clock, random, settings: identity, observer: metrics });

function accessOf(
  database: SqlDatabase,
  secret: BrokerSecret,
  random: Random,
): { platforms: PlatformService; access: Authentication; changes: AccessChanges } {
  const changes = accessChanges();
  const hmacKey = secret.subkey('access-hmac');
  const access = pgAccessStore(database);
  const transact: ConstructorParameters<typeof PlatformService>[0]['transact'] = (work) =>
    database.transaction((tx) => work({ access: pgAccessStore(tx), audit: pgAuditLog(tx) }));
  return {
    platforms: new PlatformService({ transact, access, hmacKey, random, changes }),
    access: authentication(access, hmacKey),
    changes,
  };
}

const catalogSourceOf = ({ catalog, identity, mesh }: AppConfig): CatalogSource =>
  fileCatalog({ ...catalog, issuingLifeSeconds: identity.intermediateLifeSeconds, mesh: mesh.settings });
const catalogOf = (source: CatalogSource, { database, clock, logger, publicUrl }: AppParts): CatalogService =>
  new CatalogService({
    source,
    store: pgCatalogStore(database),
    transact: (work) => database.bulk((tx) => work({ catalog: pgCatalogStore(tx) })),
    clock,
    logger,
    publicUrl,
  });
