import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { meshDriverOf } from '../../app/mesh-driver.ts';
import { lintCatalog } from '../../catalog/lint-catalog.ts';
import type { Config } from '../../config.ts';
import type { AdvisoryLocks } from '../../db/advisory-lock.ts';
import type { Database } from '../../db/database.ts';
import { openDatabase } from '../../db/database.ts';
import { explained } from '../../db/explain.ts';
import { startEmbeddedPostgres } from '../../db/embedded/embedded-postgres.ts';
import { embeddedExists } from '../../db/embedded/place.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { CommandContext } from '../context.ts';
import { wrongPaths } from '../serve/start-config.ts';
import { counted } from '../counted.ts';
import { table } from '../table.ts';
import type { DatabaseState } from './database-findings.ts';
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
      if (database === 'away') findings.push(note('clock', "not checked: it is compared with the database's"));
      else if (database !== 'to be made') findings.push(await guarded('clock', () => clockFinding(database, () => systemClock.now())));
      findings.push(await guarded('mesh', () => meshFinding(settings)));
    });
    findings.push(await guarded('catalogue', () => catalogFinding(settings)));
  }
  print(table(['what', '', ''], findings.map(({ name, state, text }) => [name, state, text.replaceAll(/\s+/g, ' ').trim()])).split('\n').slice(1).join('\n')); // prettier-ignore
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

/** `work` gets the open database. Where there is none (yet), or it cannot be used, the finding says why. */
async function withDatabase(
  config: Config,
  findings: Finding[],
  work: (database: Database | DatabaseState) => Promise<void>,
): Promise<void> {
  const directory = join(config.dataDirectory, 'postgres');
  const { url } = config.database;
  if (url === null && !(await embeddedExists(directory))) {
    findings.push(ok('database', `the embedded one is made at the first start, in ${directory}`));
    return work('to be made');
  }
  let close = (): Promise<void> => Promise.resolve();
  try {
    const embedded = url === null ? await startEmbeddedPostgres({ directory }) : undefined;
    const database = openDatabase({ url: embedded?.url ?? url ?? '', poolSize: 2 });
    close = async () => {
      await database.close();
      await embedded?.stop();
    };
    findings.push(await databaseFinding(database, embedded === undefined ? 'DATABASE_URL' : `embedded in ${embedded.directory}`));
    await work(database);
  } catch (error) {
    const text = url === null ? `${messageOf(error)} (embedded in ${directory})` : messageOf(explained(error, url));
    findings.push(wrong('database', text));
    await work('away');
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
  if (errors > 0)
    return wrong('catalogue', `${catalog.directory} has ${counted(errors, 'error')}: npx meshbroker catalog lint ${catalog.directory}`);
  return ok('catalogue', catalog.directory);
}

/** A check takes no lock: nothing is written. */
const noLocks: AdvisoryLocks = {
  withAdvisoryLock: () => Promise.reject(new Error('doctor writes nothing')),
  close: () => Promise.resolve(),
};
async function meshFinding(config: Config): Promise<Finding> {
  const { driver: name, gitops } = config.mesh;
  if (name === 'memory') return note('mesh', 'driver memory: objects are lost when the broker stops');
  const driver = meshDriverOf(config, { locks: noLocks });
  try {
    const found = await driver.check();
    if (!found.ok) return wrong('mesh', found.problem);
    const made = await stat(gitops.directory).then(() => true, () => false); // prettier-ignore
    return ok('mesh', made ? gitops.directory : `${gitops.directory} is made at the first start`);
  } finally {
    await driver.close();
  }
}
