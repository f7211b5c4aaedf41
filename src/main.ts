import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { banner } from './cli/serve/banner.ts';
import type { Running } from './cli/serve/serve.ts';
import { startConfig } from './cli/serve/start-config.ts';
import type { Config } from './config.ts';
import { BrokerError } from './kernel/errors.ts';

/** npm sends Ctrl-C on to its child, which the terminal has told already: not a second wish. */
const sameSignalMs = 1_000;
const longestStopMs = 20_000;

function stopOnSignals(running: Promise<Running>): void {
  let firstAt: number | undefined;
  const stop = (): void => {
    const now = performance.now();
    if (firstAt !== undefined) {
      if (now - firstAt > sameSignalMs) process.exit(130);
      return;
    }
    firstAt = now;
    setTimeout(() => process.exit(1), longestStopMs).unref();
    running.then(async (broker) => {
      await broker.stop();
      process.exit(0);
    }, () => undefined); // prettier-ignore
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
}

/** The rooms are loaded after Node was told where it may keep them compiled: a third of a second less at each start but the first. */
async function start(config: Config): Promise<Running> {
  enableCompileCache(join(config.dataDirectory, 'compile-cache'));
  const { serve } = await import('./cli/serve/serve.ts');
  return serve(config);
}

/** The process: environment → configuration → rooms → listening → signals. */
export async function main(environment: NodeJS.ProcessEnv): Promise<void> {
  try {
    const starting = start(await startConfig(environment));
    stopOnSignals(starting);
    const running = await starting;
    process.stdout.write(banner(running.facts));
  } catch (error) {
    const text = error instanceof BrokerError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`Meshbroker does not start:\n${text.replaceAll(/^/gm, '  ')}\n`);
    process.exit(1);
  }
}
if (import.meta.main) await main(process.env);
