import type { AuditLog } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog-port.ts';
import type { Random } from '../kernel/random.ts';
import type { Transact } from '../kernel/transact.ts';
import type { RouteCheck } from '../mesh/route-check.ts';
import type { OperationRunner } from '../operations/operation-runner.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { InstanceStore } from './instance-store.ts';

export interface InstanceStores {
  readonly instances: InstanceStore;
  readonly operations: OperationStore;
  readonly audit: AuditLog;
}
export interface InstanceDeps {
  readonly catalog: Catalog;
  readonly stores: InstanceStores;
  readonly transact: Transact<InstanceStores>;
  readonly runner: OperationRunner;
  readonly routes: RouteCheck;
  readonly random: Random;
  /** How long a synchronous request waits for its operation; platforms give up after about 60 s. */
  readonly syncTimeoutMs: number;
}
