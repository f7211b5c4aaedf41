import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createMetricsServer } from '../../api/metrics-server.ts';
import type { App } from '../../app.ts';
import { warnOfForeignCallers } from '../../app/foreign-callers.ts';
import { background } from '../../background/background.ts';
import type { Background } from '../../background/background.ts';
import { cleanUpTasks } from '../../background/clean-up.pg.ts';
import type { Config } from '../../config.ts';
import type { Database } from '../../db/database.ts';
import { listen } from '../../db/listen.ts';
import type { Listener } from '../../db/listen.ts';
import { claimDatabase, knowsSecret } from '../../identity/broker-secret-store.pg.ts';
import { brokerSecret } from '../../identity/secret.ts';
import { systemClock } from '../../kernel/clock.ts';
import { BrokerError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { systemRandom } from '../../kernel/random.ts';
import type { Address } from '../../setting-values.ts';
import { createLogger } from '../../observe/logger.ts';
import { brokerMetrics } from '../../observe/metrics.ts';
import { pgMetricsSources } from '../../observe/unfinished-operations.pg.ts';
import { databaseFinding } from '../doctor/database-findings.ts';
import { version } from '../version.ts';
import type { BannerFacts } from './banner.ts';
import { crashAt } from './crash-at.ts';
import { announceBroker } from './broker-addresses.ts';
import { makeSecret, readSecret } from './data-files.ts';
import { ensureFirstAccess } from './first-access.ts';
import { listenOn, settledAddress, urlOf } from './listen-on.ts';
import type { OpenDatabase } from './open-database.ts';
import { openDatabaseOf } from './open-database.ts';

/** A broker that runs in this process. */
export interface Running {
  readonly url: string;
  readonly facts: BannerFacts;
  readonly logger: Logger;
  /** Everything in order: not ready, no new work, requests finish, leases are given back, the database is closed. Never throws. */
  stop(): Promise<void>;
}

/** Starts a broker by its settings; resolves when it answers requests. What was opened is closed again when the start fails. */
export async function serve(config: Config): Promise<Running> {
  const logger = createLogger(config.logLevel);
  for (const name of config.unknown) logger.warn({ setting: name }, 'nothing reads this setting');
  if (config.crashAt !== null) crashAt(config.crashAt);
  await mkdir(config.dataDirectory, { recursive: true });
  const [tls, gatewayCaPem] = await Promise.all([tlsOf(config), gatewayCaOf(config)]);
  const [{ createApp }, open, address] = await Promise.all([
    import('../../app.ts'),
    openDatabaseOf(config, { embedded: 'ours', logger, random: systemRandom }),
    settledAddress(config.listen, 'MESHBROKER_LISTEN'),
  ]);
  const { database, locks } = open;
  try {
    if (open.directory === null) await warnOfLoss(database, logger);
    const metrics = brokerMetrics();
    metrics.readFrom(pgMetricsSources(database));
    const own = urlOf(address, tls !== null);
    const secret = await fittingSecret(config, open);
    const app = await createApp(config, {
      database, locks, secret, tls, gatewayCaPem, logger,
      publicUrl: config.publicUrl ?? own,
      clock: systemClock,
      random: systemRandom,
      metrics,
    }); // prettier-ignore
    warnOfForeignCallers(app.catalog.listed(), config.mesh.settings.trustDomain, logger);
    const access = await ensureFirstAccess(config, app.platforms, systemRandom);
    await listenOn(app.http, address, 'MESHBROKER_LISTEN');
    const metricsHttp =
      config.metricsListen === null ? null : await metricsListener(config.metricsListen, { metrics, readiness: app.readiness });
    const tasks = background([...app.tasks, ...cleanUpTasks(database, config.keep, metrics)], logger, metrics);
    const listener = await listen({ url: database.url, logger }, { access_changed: () => app.accessChanges.changed() });
    const watch = app.watchCatalog(() => tasks.wake('catalog-refresh'));
    app.runner.start();
    tasks.start();
    const withdraw = await announceBroker(config.dataDirectory, own);
    logger.info({ url: own, version: version(), mesh: config.mesh.driver }, 'the broker is ready');
    const stop = stopper({ app, tasks, listener, watch, withdraw, open, metricsHttp, graceMs: config.operations.shutdownMs, logger });
    return { url: own, logger, stop, facts: factsOf(config, own, access, open, app) };
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** A fail-over to an asynchronous standby forgets what was acknowledged: nothing that the broker could mend afterwards. */
async function warnOfLoss(database: Database, logger: Logger): Promise<void> {
  const { state, text } = await databaseFinding(database, 'DATABASE_URL');
  if (state !== 'ok') logger.warn({ database: text }, 'acknowledged orders are not safe');
}
async function gatewayCaOf({ mesh: { gatewayCaFile: file } }: Config): Promise<string | null> {
  return file === null ? null : readPem(file, 'MESHBROKER_GATEWAY_CA_FILE');
}
const readPem = (file: string, setting: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw new BrokerError('internal', `${setting}=${file}: cannot be read: give a PEM file that the broker's user may read`, {}, error);
  });
async function tlsOf({ tls }: Config): Promise<{ readonly cert: string; readonly key: string } | null> {
  if (tls === null) return null;
  const pair = { cert: await readPem(tls.certFile, 'MESHBROKER_TLS_CERT'), key: await readPem(tls.keyFile, 'MESHBROKER_TLS_KEY') };
  if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key)))
    throw new BrokerError('internal', `MESHBROKER_TLS_KEY=${tls.keyFile}: is not the key of MESHBROKER_TLS_CERT: give the pair`);
  return pair;
}

async function fittingSecret({ secretFile }: Config, { database }: OpenDatabase): Promise<Uint8Array> {
  const found = await readSecret(secretFile);
  if (found === undefined && (await knowsSecret(database)))
    throw new BrokerError(
      'internal',
      `MESHBROKER_SECRET_FILE ${secretFile} is missing, and the database was made with one: restore the file`,
    );
  const secret = found ?? (await makeSecret(secretFile, systemRandom));
  await claimDatabase(database, brokerSecret(secret));
  return secret;
}

async function metricsListener(address: Address, sources: Parameters<typeof createMetricsServer>[0]): Promise<Server> {
  const server = createMetricsServer(sources);
  await listenOn(server, address, 'MESHBROKER_METRICS_LISTEN');
  return server;
}

function factsOf(config: Config, url: string, access: BannerFacts['access'], { directory }: OpenDatabase, app: App): BannerFacts {
  const { driver, gitops } = config.mesh;
  return {
    version: version(),
    url,
    access,
    meshDirectory: driver === 'gitops' ? gitops.directory : null,
    gitRemote: driver === 'gitops' ? gitops.remote : null,
    databaseDirectory: directory,
    shelf: app.catalog.listed(),
    catalog: { directory: config.catalog.directory, problems: app.catalog.catalogStatus().problems.length },
  };
}

interface ToStop {
  readonly app: App;
  readonly tasks: Background;
  readonly listener: Listener;
  readonly watch: { close(): void };
  readonly withdraw: () => Promise<void>;
  readonly open: OpenDatabase;
  readonly metricsHttp: Server | null;
  readonly graceMs: number;
  readonly logger: ReturnType<typeof createLogger>;
}
function stopper({ app, tasks, listener, watch, withdraw, open, metricsHttp, graceMs, logger }: ToStop): () => Promise<void> {
  const attempt = async (what: string, work: Promise<unknown>): Promise<void> => {
    await work.catch((error: unknown) => logger.error({ error }, `could not ${what} while stopping`));
  };
  const all = async (): Promise<void> => {
    logger.info({}, 'the broker is stopping');
    app.readiness.stopping();
    watch.close();
    await Promise.all([
      attempt('take back its address', withdraw()),
      attempt('give back the leases', app.runner.stop(graceMs)),
      attempt('finish the requests', closeServer(app.http, graceMs)),
      attempt('end the tasks', tasks.stop(graceMs)),
    ]);
    if (metricsHttp !== null) await closeServer(metricsHttp, 0);
    await attempt('stop listening', listener.stop());
    await attempt('close the mesh driver', app.close());
    await attempt('close the database', open.close());
    logger.info({}, 'the broker has stopped');
    logger.flush();
  };
  let stopping: Promise<void> | undefined;
  return () => (stopping ??= all());
}
/** Takes no new connections; what is under way has its time, then it is cut. */
async function closeServer(server: Server, graceMs: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}
