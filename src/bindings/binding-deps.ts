import type { AuditLog } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog-port.ts';
import type { BindingCertificates } from '../identity/identity-port.ts';
import type { InstanceStore } from '../instances/instance-store.ts';
import type { Random } from '../kernel/random.ts';
import type { Transact } from '../kernel/transact.ts';
import type { MeshSettings } from '../mesh/mesh-settings.ts';
import type { RouteCheck } from '../mesh/route-check.ts';
import type { OperationRunner } from '../operations/operation-runner.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { BindingStore } from './binding-store.ts';

export interface BindingStores {
  readonly bindings: BindingStore;
  readonly instances: InstanceStore;
  readonly operations: OperationStore;
  readonly audit: AuditLog;
}
export interface BindingDeps {
  readonly catalog: Catalog;
  readonly stores: BindingStores;
  readonly transact: Transact<BindingStores>;
  readonly runner: OperationRunner;
  readonly certificates: BindingCertificates;
  readonly settings: MeshSettings;
  readonly routes: RouteCheck;
  /** Of the broker, without a slash at the end. */
  readonly publicUrl: string;
  /** What consumers outside the mesh must trust; null: the binding CA. */
  readonly gatewayCaPem: string | null;
  readonly random: Random;
  readonly syncTimeoutMs: number;
}
