import type { Readiness, ReadinessCheck } from '../api/ports.ts';
import type { CatalogService } from '../catalog/catalog-service.ts';
import { formatProblem } from '../catalog/problem.ts';
import type { SqlDatabase } from '../kernel/sql.ts';
import type { MeshDriver } from '../mesh/mesh-driver.ts';

interface Parts {
  readonly database: SqlDatabase;
  readonly catalog: CatalogService;
  readonly driver: MeshDriver;
  readonly runner: { problem(): string | undefined };
}
const patienceMs = 2_000;
const mostProblems = 10;

/** A broken file does not take the broker out of service: the last good catalogue serves on, and the check says what is wrong. */
export function readinessOf({ database, catalog, driver, runner }: Parts): Readiness & { stopping(): void } {
  let stopping = false;
  return {
    stopping() {
      stopping = true;
    },
    async check() {
      const [data, mesh] = await Promise.all([
        checked('database', async () => {
          await database.run('select 1');
          return runner.problem();
        }),
        checked('mesh', async () => {
          const found = await driver.check();
          return found.ok ? undefined : found.problem;
        }),
      ]);
      const { problems, offerings } = catalog.catalogStatus();
      const reasons = problems.slice(0, mostProblems).map(formatProblem);
      const shelf: ReadinessCheck = { name: 'catalogue', ok: problems.length === 0, reasons };
      const process: ReadinessCheck = { name: 'process', ok: !stopping, reasons: stopping ? ['the broker is stopping'] : [] };
      const ready = data.ok && mesh.ok && process.ok && (offerings > 0 || problems.length === 0);
      return { ready, checks: [data, shelf, mesh, process] };
    },
  };
}

async function checked(name: string, look: () => Promise<string | undefined>): Promise<ReadinessCheck> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${patienceMs / 1000} s`), patienceMs);
  });
  try {
    const problem = await Promise.race([look(), late]);
    return { name, ok: problem === undefined, reasons: problem === undefined ? [] : [problem] };
  } catch (error) {
    return { name, ok: false, reasons: [error instanceof Error ? error.message : 'unknown'] };
  } finally {
    clearTimeout(timer);
  }
}
