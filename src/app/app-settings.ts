import type { Config } from '../config.ts';
import type { AdvisoryLocks } from '../db/advisory-lock.ts';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Random } from '../kernel/random.ts';
import type { MeshDriver } from '../mesh/mesh-driver.ts';
import type { BrokerMetrics } from '../observe/metrics.ts';

/** The part of the configuration that the rooms are built from. */
export type AppConfig = Pick<
  Config,
  'catalog' | 'osb' | 'mesh' | 'identity' | 'access' | 'operations' | 'keep' | 'trustProxy' | 'maxConnections' | 'failureLimit'
>;

/** What the process opened before. */
export interface AppParts {
  readonly database: Database;
  readonly locks: AdvisoryLocks;
  /** The broker's secret: 32 bytes. */
  readonly secret: Uint8Array;
  /** Where clients reach the broker, without a slash at the end. */
  readonly publicUrl: string;
  /** PEM; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** What consumers outside the mesh must trust; null: the binding CA. */
  readonly gatewayCaPem: string | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: BrokerMetrics;
  /** Tests: instead of the driver that the configuration names. */
  readonly driver?: MeshDriver;
}
