import type { ShelfOffering } from '../catalog/offering.ts';
import type { Logger } from '../kernel/logger.ts';
import { foreignTrustDomain } from '../mesh/principal-name.ts';

const mostNamed = 20;

/** Said once at start: where no mesh is federated, a caller of another trust domain is nobody, and who was meant is shut out. */
export function warnOfForeignCallers(shelf: readonly ShelfOffering[], trustDomain: string, logger: Logger): void {
  const foreign = shelf.flatMap(({ offering: { name, mesh } }) =>
    mesh.existingCallers.filter((caller) => foreignTrustDomain(caller, trustDomain) !== undefined).map((caller) => `${name}: ${caller}`),
  );
  if (foreign.length === 0) return;
  const facts = { trustDomain, count: foreign.length, callers: foreign.slice(0, mostNamed) };
  logger.warn(facts, 'existing_callers of another trust domain than MESHBROKER_TRUST_DOMAIN: right only where meshes are federated');
}
