import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatProblem } from '../../catalog/problem.ts';
import { lintCatalog } from '../../catalog/lint-catalog.ts';
import { settingLines } from '../../config.ts';
import { silentLogger } from '../../kernel/logger.ts';
import { systemRandom } from '../../kernel/random.ts';
import { explained } from '../../db/explain.ts';
import { migrateDatabase, pendingMigrations } from '../../db/migrate.ts';
import type { CommandContext } from '../context.ts';
import { counted } from '../counted.ts';
import { wrapped } from '../table.ts';

/** Commands that need no running broker. */
export function localCommands(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('start the broker in the foreground')
    .action(async () => {
      const { main } = await import('../../main.ts');
      await main(context.environment);
    });
  program
    .command('migrate')
    .description('bring the database up to date, and end')
    .action(() => migrate(context));
  program
    .command('config')
    .description('every setting, its default, and what is set here')
    .action(() => printSettings(context));
  program
    .command('doctor')
    .description('settings, database, secret, catalogue, mesh, clock: what is wrong and the fix')
    .action(async () => {
      const { doctor } = await import('../doctor/doctor.ts');
      await doctor(context);
    });
  program
    .command('demo')
    .description('the whole story against a throw-away broker, in some seconds')
    .action(async () => {
      const { demo } = await import('../demo/demo.ts');
      await demo(context.print);
    });
  program
    .command('catalog')
    .description('offering files')
    .command('lint <directory>')
    .description('every problem of the offering files, with its place and fix')
    .option('--training', 'check training plans too')
    .action((directory: string, { training }: { training?: true }) => lint(context, directory, training === true));
}

async function migrate({ config, print }: CommandContext): Promise<void> {
  const settings = config();
  const { url } = settings.database;
  if (url !== null) {
    const done = await migrateDatabase(url).catch((error: unknown) => {
      throw explained(error, url);
    });
    print(summary(done));
    return;
  }
  const { openDatabaseOf } = await import('../serve/open-database.ts');
  const open = await openDatabaseOf(settings, { embedded: 'any', logger: silentLogger, random: systemRandom });
  print((await pendingMigrations(open.database.url)).length === 0 ? 'the database is up to date' : 'the database is not up to date');
  await open.close();
}
const summary = (names: readonly string[]): string => (names.length === 0 ? 'the database was up to date' : `applied ${names.join(', ')}`);

function printSettings({ environment, print, config }: CommandContext): void {
  let group = '';
  for (const line of settingLines(environment)) {
    if (line.group !== group) print(`${group === '' ? '' : '\n'}${line.group}`);
    group = line.group;
    const fallback = line.fallback === null || line.fallback === '' ? 'unset' : line.fallback;
    print(`  ${line.env} = ${line.given ?? `${fallback} (default)`}\n${wrapped(line.description, 100, '      ')}`);
  }
  for (const name of config().unknown) print(`\nnothing reads ${name}`);
}

async function lint({ config, print, fail }: CommandContext, directory: string, training: boolean): Promise<void> {
  const { identity, mesh } = config();
  const rules = { training, issuingLifeSeconds: identity.intermediateLifeSeconds, mesh: mesh.settings };
  const problems = await lintCatalog(resolve(directory), rules);
  for (const problem of problems) print(formatProblem(problem));
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors > 0) {
    print(counted(errors, 'error'));
    fail();
  } else print(problems.length === 0 ? 'no problems' : 'no errors');
}
