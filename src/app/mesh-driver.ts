import { meshDrivers } from '../built-ins.ts';
import type { MeshDriver } from '../mesh/mesh-driver.ts';
import type { AppConfig, AppParts } from './app-settings.ts';

/** The driver that the configuration names. Writers of one gitops tree take turns by a lock of their database. */
export function meshDriverOf({ mesh }: Pick<AppConfig, 'mesh'>, { locks }: Pick<AppParts, 'locks'>): MeshDriver {
  const withLock = <T>(work: () => Promise<T>): Promise<T> => locks.withAdvisoryLock('meshbroker gitops', () => work());
  return meshDrivers[mesh.driver]({ gitops: mesh.gitops, withLock });
}
