import type { Catalog } from '../../src/catalog/catalog-port.ts';
import { BrokerError } from '../../src/kernel/errors.ts';
import type { BindingLine, InstanceLine, Inventory, OperationLine } from '../../src/operations/inventory-port.ts';
import type { ReportQuestion, UsageReports } from '../../src/usage/usage-port.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 20, 0, minute));
/** 120 service instances, bindings and operations, newest first; those with an even number belong to the platform `cf`. */
export function memoryInventory() {
  const numbers = Array.from({ length: 120 }, (_, index) => 119 - index);
  const instances = numbers.map((n): InstanceLine => ({
    ref: `mb-i${n}`,
    instanceId: `i-${n}`,
    platform: n % 2 === 0 ? 'cf' : 'k8s',
    state: 'ready',
    offering: 'reviews',
    plan: 'canary',
    serviceId: 's',
    planId: 'p',
    organizationGuid: 'o',
    spaceGuid: 'sp',
    createdAt: at(n),
    readyAt: n === 0 ? null : at(n),
  }));
  const bindings = numbers.map((n): BindingLine => ({
    ref: `mb-b${n}`,
    bindingId: `b-${n}`,
    instanceRef: `mb-i${n}`,
    instanceId: `i-${n}`,
    platform: n % 2 === 0 ? 'cf' : 'k8s',
    state: 'ready',
    exposure: 'routed',
    offering: 'reviews',
    plan: 'canary',
    consumer: 'web/frontend',
    consumerKind: 'sidecar',
    principal: 'spiffe://cluster.local/ns/web/sa/frontend',
    lineageId: `l-${n}`,
    createdAt: at(n),
    expiresAt: null,
    renewBefore: null,
    renewalDue: false,
  }));
  const operations = numbers.map((n): OperationLine => ({
    id: `op-${n}`,
    platform: 'cf',
    resourceKind: 'instance',
    resource: `mb-i${n}`,
    kind: 'provision',
    state: n === 7 ? 'quarantined' : 'succeeded',
    step: '',
    attempts: 1,
    description: '',
    lastError: null,
    createdAt: at(n),
    finishedAt: at(n),
    nextRunAt: at(n),
  }));
  const page = <Line extends { readonly platform: string | null }>(
    lines: readonly Line[],
    keyOf: (line: Line) => string,
    { platformId, limit, after }: { platformId: string | null; limit: number; after: string | null },
  ): Line[] => {
    const visible = lines.filter(({ platform }) => platformId === null || platform === 'cf');
    const start = after === null ? 0 : visible.findIndex((line) => keyOf(line) === after) + 1;
    return visible.slice(start, start + limit);
  };
  const inventory: Inventory = {
    instances: (question) =>
      Promise.resolve(
        page(
          instances.filter(({ state }) => question.state === null || state === question.state),
          ({ ref }) => ref,
          question,
        ),
      ),
    bindings: (question) =>
      Promise.resolve(
        page(
          bindings.filter(({ consumer }) => question.consumer === null || consumer === question.consumer),
          ({ ref }) => ref,
          question,
        ),
      ),
    binding: (ref, platformId) =>
      Promise.resolve(bindings.find((line) => line.ref === ref && (platformId === null || line.platform === 'cf'))),
    operations: (question) =>
      Promise.resolve(
        page(
          operations.filter(({ state }) => question.state === null || state === question.state),
          ({ id }) => id,
          question,
        ),
      ),
    retryOperation(id) {
      const found = operations.find((line) => line.id === id);
      if (found === undefined) return Promise.reject(new BrokerError('not-found', `there is no operation ${id}`));
      if (found.state !== 'quarantined') return Promise.reject(new BrokerError('conflict', `operation ${id} is finished`));
      return Promise.resolve({ ...found, state: 'pending' });
    },
    releaseGuard(offering) {
      if (offering !== 'reviews') return Promise.reject(new BrokerError('not-found', `there is no offering ${offering}`));
      return Promise.resolve({
        ...operations[0]!,
        id: 'op-guard',
        kind: 'guard-release',
        resourceKind: 'offering',
        state: 'pending',
        finishedAt: null,
      });
    },
  };
  const questions: ReportQuestion[] = [];
  const usageReports: UsageReports = {
    report(question) {
      questions.push(question);
      const lines = [
        {
          windowStart: '2026-11-01',
          keys: { consumer: 'web/frontend', offering: 'reviews' },
          meter: 'requests',
          unit: '1',
          total: '12',
          attributed: true,
        },
        {
          windowStart: '2026-11-01',
          keys: { consumer: 'unattributed', offering: 'reviews' },
          meter: 'requests',
          unit: '1',
          total: '3',
          attributed: false,
        },
      ];
      return Promise.resolve({ asOf: '2026-11-23T10:20:00Z', lines, unattributed: [{ meter: 'requests', total: '3', share: '0.2000' }] });
    },
  };
  const api = { name: 'rest', kind: 'openapi', mediaType: 'application/yaml', text: 'openapi: 3.1.0\n' };
  const catalog = { offeringNamed: (name: string) => (name === 'reviews' ? { name, apis: [api] } : undefined) } as unknown as Pick<
    Catalog,
    'offeringNamed'
  >;
  return { inventory, usageReports, catalog, questions };
}
