import { loadConfig } from '../config.ts';
import type { Config, Environment } from '../config.ts';
import type { BrokerClient } from './broker-client.ts';
import { brokerClient } from './broker-client.ts';

/** What every command is given. */
export interface CommandContext {
  readonly environment: Environment;
  /** Refuses wrong settings; read when first needed, so that help works with any. */
  readonly config: () => Config;
  readonly broker: () => Promise<BrokerClient>;
  /** One or more lines on standard output. */
  readonly print: (text: string) => void;
  /** The command has found something wrong: exit status 1. */
  readonly fail: () => void;
}
export function commandContext(environment: Environment): CommandContext {
  const config = (): Config => loadConfig(environment);
  return {
    environment,
    config,
    broker: () => brokerClient(config()),
    print: (text) => void process.stdout.write(`${text}\n`),
    fail: () => void (process.exitCode = 1),
  };
}
