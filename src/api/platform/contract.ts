import type { PlatformService } from '../../access/platform-service.ts';
import type { AuditTrail } from '../../audit/audit-trail.ts';
import type { Catalog } from '../../catalog/catalog-port.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Inventory } from '../../operations/inventory-port.ts';
import type { UsageReports } from '../../usage/usage-port.ts';
import type { Contract, Handlers, RequestContext } from '../contract.ts';
import type { LoadedDocument } from '../documents.ts';
import type { operations } from '../generated/platform.ts';
import type { Readiness, RequestMetrics, TrustBundleSource } from '../ports.ts';
import { toProblem } from '../problem.ts';
import { listAudit } from './audit.ts';
import { apiDescription, live, metrics, ready, trustBundle } from './broker.ts';
import { docsIndex, docsPage, docsStyle, documentText } from '../docs.ts';
import { getBinding, listBindings, listInstances, listOperations, releaseGuard, retryOperation } from './inventory.ts';
import {
  createPlatform,
  createToken,
  listPlatforms,
  listTokens,
  revokePlatform,
  revokeToken,
  rotatePlatform,
  updatePlatform,
} from './platforms.ts';
import { bindingUsage, usageReport } from './usage-report.ts';

export interface PlatformServices {
  readonly clock: Clock;
  readonly platforms: PlatformService;
  readonly inventory: Inventory;
  readonly auditTrail: AuditTrail;
  readonly usageReports: UsageReports;
  readonly catalog: Pick<Catalog, 'offeringNamed'>;
  readonly certificates: TrustBundleSource;
  readonly readiness: Readiness;
  readonly metrics: RequestMetrics;
}
export const platformContract = (
  services: PlatformServices,
  documents: readonly LoadedDocument[],
): Contract<operations, RequestContext> => ({
  name: 'platform',
  handlers: platformHandlers(services, documents),
  enter: ({ requestId, principal }) => ({ requestId, principal }),
  refuse: toProblem,
});

const platformHandlers = (services: PlatformServices, documents: readonly LoadedDocument[]) => {
  const { clock, platforms, inventory, auditTrail, usageReports, catalog, certificates, readiness, metrics: measured } = services;
  return {
    'platforms.list': listPlatforms(platforms),
    'platforms.create': createPlatform(platforms),
    'platforms.update': updatePlatform(platforms),
    'platforms.rotate': rotatePlatform(platforms),
    'platforms.revoke': revokePlatform(platforms),
    'tokens.list': listTokens(platforms),
    'tokens.create': createToken(platforms),
    'tokens.revoke': revokeToken(platforms),
    'instances.list': listInstances(inventory),
    'bindings.list': listBindings(inventory),
    'bindings.get': getBinding(inventory),
    'bindings.usage': bindingUsage(usageReports, inventory, clock),
    'operations.list': listOperations(inventory),
    'audit.list': listAudit(auditTrail),
    'operations.retry': retryOperation(inventory),
    'guards.release': releaseGuard(inventory),
    'usage.report': usageReport(usageReports, clock),
    'offerings.api': apiDescription(catalog),
    'trust.bundle': trustBundle(certificates),
    'health.live': live(),
    'health.ready': ready(readiness),
    'metrics.get': metrics(measured),
    'docs.index': docsIndex(documents),
    'docs.style': docsStyle(),
    'docs.contract': docsPage(documents),
    'documents.get': documentText(documents),
  } satisfies Handlers<operations>;
};
