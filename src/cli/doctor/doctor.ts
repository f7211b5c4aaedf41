import { join } from 'node:path';
import { meshDriverOf } from '../../app/mesh-driver.ts';
import { hasErrors, lintCatalog } from '../../catalog/lint-catalog.ts';
import type { Config } from '../../config.ts';
import { openAdvisoryLocks } from '../../db/advisory-lock.ts';
import type { Database } from '../../db/database.ts';
import { openDatabase } from '../../db/database.ts';
import { startEmbeddedPostgres } from '../../db/embedded/embedded-postgres.ts';
import { embeddedExists } from '../../db/embedded/place.ts';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { CommandContext } from '../context.ts';
import { wrongPaths } from '../serve/start-config.ts';
import { table } from '../table.ts';
import { clockFinding, databaseFinding, secretFinding } from './database-findings.ts';
import type { Finding } from './finding.ts';
import { note, ok, wrong } from './finding.ts';

/** One line for each thing that a broker needs: fine, or what is wrong and the fix. Changes nothing. */
export async function doctor({ environment, config, print, fail }: CommandContext): Promise<void> {
  const findings: Finding[] = [];
  const settings = attempt('settings', () => config(), findings);
  const paths = await wrongPaths(environment);
  findings.push(...paths.map((line) => wrong('settings', line)));
  if (settings !== undefined) {
    findings.push(...settings.unknown.map((name) => note('settings', `nothing reads ${name}`)));
    if (paths.length === 0) findings.push(ok('settings', 'all well-formed'));
    await withDatabase(settings, findings, async (database) => {
      findings.push(await guarded('secret', () => secretFinding(database, settings)));
      if (database !== undefined) findings.push(await guarded('clock', () => clockFinding(database, () => systemClock.now())));
      findings.push(await guarded('mesh', () => meshFinding(settings, database)));
    });
    findings.push(await guarded('catalogue', () => catalogFinding(settings)));
  }
  print(table(['what', '', ''], findings.map(({ name, state, text }) => [name, state, text])).split('\n').slice(1).join('\n')); // prettier-ignore
  if (findings.some(({ state }) => state === 'wrong')) fail();
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
async function guarded(name: string, look: () => Promise<Finding>): Promise<Finding> {
  return look().catch((error: unknown) => wrong(name, messageOf(error)));
}
function attempt<T>(name: string, work: () => T, findings: Finding[]): T | undefined {
  try {
    return work();
  } catch (error) {
    findings.push(...messageOf(error).split('\n').map((line) => wrong(name, line))); // prettier-ignore
    return undefined;
  }
}

/** `work` gets the open database, or undefined where there is none (yet): then the finding says why. */
async function withDatabase(config: Config, findings: Finding[], work: (database: Database | undefined) => Promise<void>): Promise<void> {
  const directory = join(config.dataDirectory, 'postgres');
  if (config.database.url === null && !(await embeddedExists(directory))) {
    findings.push(ok('database', `the embedded one is made at the first start, in ${directory}`));
    return work(undefined);
  }
  let close = (): Promise<void> => Promise.resolve();
  try {
    const embedded = config.database.url === null ? await startEmbeddedPostgres({ directory }) : undefined;
    const database = openDatabase({ url: embedded?.url ?? config.database.url ?? '', poolSize: 2 });
    close = async () => {
      await database.close();
      await embedded?.stop();
    };
    findings.push(await databaseFinding(database, embedded === undefined ? 'DATABASE_URL' : `embedded in ${embedded.directory}`));
    await work(database);
  } catch (error) {
    findings.push(wrong('database', `${messageOf(error)} (${config.database.url === null ? `embedded in ${directory}` : 'DATABASE_URL'})`));
  } finally {
    await close();
  }
}

async function catalogFinding({ catalog, identity, mesh }: Config): Promise<Finding> {
  const problems = await lintCatalog(catalog.directory, {
    training: catalog.training,
    issuingLifeSeconds: identity.intermediateLifeSeconds,
    mesh: mesh.settings,
  });
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const [first] = problems;
  if (first?.file === '.') return wrong('catalogue', `${first.what}: ${first.fix}`);
  if (hasErrors(problems))
    return wrong(
      'catalogue',
      `${catalog.directory} has ${errors} ${errors === 1 ? 'error' : 'errors'}: npx meshbroker catalog lint ${catalog.directory}`,
    );
  return ok('catalogue', catalog.directory);
}

async function meshFinding(config: Config, database: Database | undefined): Promise<Finding> {
  if (config.mesh.driver === 'memory') return note('mesh', 'driver memory: objects are lost when the broker stops');
  if (database === undefined) return ok('mesh', `${config.mesh.gitops.directory} is made at the first start`);
  const locks = openAdvisoryLocks({ url: database.url, logger: silentLogger });
  const driver = meshDriverOf(config, { locks });
  try {
    const found = await driver.check();
    return found.ok ? ok('mesh', config.mesh.gitops.directory) : wrong('mesh', found.problem);
  } finally {
    await driver.close();
    await locks.close();
  }
}
