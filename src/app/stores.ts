import { pgAuditLog } from '../audit/audit-log.pg.ts';
import type { AuditLog } from '../audit/audit.ts';
import { pgBindingStore } from '../bindings/binding-store.pg.ts';
import type { BindingStore } from '../bindings/binding-store.ts';
import { pgInstanceStore } from '../instances/instance-store.pg.ts';
import type { InstanceStore } from '../instances/instance-store.ts';
import type { Sql } from '../kernel/sql.ts';
import { pgScopeStore } from '../mesh/scope-store.pg.ts';
import { pgSnapshots } from '../mesh/snapshots.pg.ts';
import type { OperationFence, ScopeStore } from '../mesh/scope-store.ts';
import { pgOperationFence } from '../operations/operation-fence.pg.ts';
import { pgOperationStore } from '../operations/operation-store.pg.ts';
import type { OperationStore } from '../operations/operation-store.ts';
import type { AttributionStore, SpanStore } from '../usage/attribution.ts';

/** Every store of the rooms, bound to one connection or transaction. */
export interface Stores {
  readonly audit: AuditLog;
  readonly operations: OperationStore;
  readonly instances: InstanceStore;
  readonly bindings: BindingStore;
  readonly scopes: ScopeStore;
  readonly fence: OperationFence;
  readonly attribution: AttributionStore;
  readonly spans: SpanStore;
}
interface UsageStores {
  attributionOn(sql: Sql): AttributionStore;
  spansOn(sql: Sql): SpanStore;
}
export function storesOn(usage: UsageStores): (sql: Sql) => Stores {
  const snapshots = pgSnapshots();
  return (sql) => ({
    audit: pgAuditLog(sql),
    operations: pgOperationStore(sql),
    instances: pgInstanceStore(sql, snapshots),
    bindings: pgBindingStore(sql),
    scopes: pgScopeStore(sql, snapshots),
    fence: pgOperationFence(sql),
    attribution: usage.attributionOn(sql),
    spans: usage.spansOn(sql),
  });
}
