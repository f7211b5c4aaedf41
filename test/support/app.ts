import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createApp, type App } from '../../src/app.ts';
import { loadConfig, type Environment } from '../../src/config.ts';
import { openAdvisoryLocks } from '../../src/db/advisory-lock.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLogger, type Logger } from '../../src/kernel/logger.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { MeshDriver } from '../../src/mesh/mesh-driver.ts';
import { memoryMesh, type MemoryMesh } from '../../src/mesh/drivers/memory.ts';
import { brokerMetrics } from '../../src/observe/metrics.ts';
import type { Database } from '../../src/db/database.ts';
import { freshDatabase } from './database.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}
export interface TestApp {
  readonly url: string;
  /** May bind for every namespace. */
  readonly platform: Login;
  readonly secondPlatform: Login;
  readonly adminToken: string;
  readonly collectorToken: string;
  readonly database: Database;
  readonly databaseUrl: string;
  readonly mesh: MemoryMesh;
  readonly app: App;
  close(): Promise<void>;
}
export interface TestAppOptions {
  readonly environment?: Environment;
  readonly driver?: MeshDriver;
  readonly logger?: Logger;
  /** False: operations wait until `app.runner.start()`. */
  readonly running?: boolean;
  /** Share a database between two replicas. */
  readonly databaseUrl?: string;
  readonly secret?: Uint8Array;
  readonly tls?: { readonly cert: string; readonly key: string };
}
export const bookinfo = fileURLToPath(new URL('../../examples/bookinfo', import.meta.url));
const caller = { actor: 'test', requestId: null };

/** The whole app on a real port and a database of its own, with the memory mesh. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const fresh = await freshDatabase();
  const config = loadConfig({
    MESHBROKER_CATALOG: bookinfo,
    MESHBROKER_MESH: 'memory',
    MESHBROKER_TRUST_DOMAIN: 'mesh.example.com',
    MESHBROKER_SYNC_TIMEOUT_SECONDS: '10',
    ...options.environment,
  });
  const logger = options.logger ?? silentLogger;
  const mesh = memoryMesh();
  const locks = openAdvisoryLocks({ url: fresh.url, logger });
  const metrics = brokerMetrics();
  const app = await createApp(config, {
    database: fresh.db,
    locks,
    secret: options.secret ?? randomBytes(32),
    publicUrl: 'http://127.0.0.1:8080',
    tls: options.tls ?? null,
    gatewayCaPem: null,
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics,
    driver: options.driver ?? mesh,
  });
  const logins: Login[] = [];
  for (const name of ['cf-eu', 'k8s-us']) {
    const made = await app.platforms.create(caller, { name, mayBindFor: ['*'] });
    logins.push({ user: made.username, password: made.password });
  }
  const adminToken = (await app.platforms.createToken(caller, 'admin', 'test-admin')).token;
  const collectorToken = (await app.platforms.createToken(caller, 'collector', 'test-collector')).token;
  await new Promise<void>((resolve) => void app.http.listen(0, '127.0.0.1', resolve));
  if (options.running !== false) app.runner.start();
  const abort = new AbortController();
  const tasks = setInterval(() => {
    for (const task of app.tasks) if (task.name === 'expire-bindings') void task.activate(abort.signal).catch(() => undefined);
  }, 100);
  const { port } = app.http.address() as AddressInfo;
  const [platform, secondPlatform] = logins;
  if (platform === undefined || secondPlatform === undefined) throw new Error('two platforms are expected');
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    platform,
    secondPlatform,
    adminToken,
    collectorToken,
    database: fresh.db,
    databaseUrl: fresh.url,
    mesh,
    app,
    async close() {
      clearInterval(tasks);
      abort.abort();
      app.http.closeAllConnections();
      await new Promise((resolve) => app.http.close(resolve));
      await app.runner.stop(2_000);
      await app.close();
      await locks.close();
      await fresh.drop();
    },
  };
}
