import { argv, env } from 'node:process';
import { Command, CommanderError } from 'commander';
import type { Environment } from '../config.ts';
import { BrokerError } from '../kernel/errors.ts';
import { accessCommands } from './commands/access.ts';
import { auditCommands } from './commands/audit.ts';
import { inventoryCommands } from './commands/inventory.ts';
import { localCommands } from './commands/local.ts';
import { meshCommands } from './commands/mesh.ts';
import { usageCommands } from './commands/usage.ts';
import { commandContext } from './context.ts';
import { version } from './version.ts';

/** One command of the command line. A refusal is one line on standard error and exit status 1. */
export async function run(words: readonly string[], environment: Environment): Promise<void> {
  process.stdout.on('error', () => process.exit(0)); // the reader has had enough: `| head`
  const program = new Command('meshbroker').description('An Open Service Broker for Istio meshes').version(version());
  const context = commandContext(environment);
  program.configureHelp({ showGlobalOptions: false }).showHelpAfterError('(see --help)').exitOverride();
  localCommands(program, context);
  accessCommands(program, context);
  inventoryCommands(program, context);
  auditCommands(program, context);
  usageCommands(program, context);
  meshCommands(program, context);
  program.command('version').description('the version of this program').action(() => context.print(version())); // prettier-ignore
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
      return;
    }
    if (!(error instanceof BrokerError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
if (import.meta.main) await run(argv.slice(2), env);
