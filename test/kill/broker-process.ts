import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface BrokerProcess {
  readonly url: string;
  /** Resolves when the process is gone, with how it ended. */
  readonly gone: Promise<NodeJS.Signals | number | null>;
  kill(signal: NodeJS.Signals): void;
  output(): string;
}
const repository = fileURLToPath(new URL('../..', import.meta.url));
const startMs = 90_000;

/** A broker of its own process, listening. Ends with the test run at the latest. */
export async function startBroker(environment: Readonly<Record<string, string>>): Promise<BrokerProcess> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: repository,
    env: { ...clean(process.env), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = collect(child);
  const gone = new Promise<NodeJS.Signals | number | null>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  const end = performance.now() + startMs;
  for (;;) {
    const url = /"url":"(http[^"]+)".*the broker is ready/.exec(said())?.[1];
    if (url !== undefined) return { url, gone, kill: (signal) => child.kill(signal), output: said };
    const ended = await Promise.race([gone, pause(20)]);
    if (ended !== undefined) throw new StartFailed(ended, said());
    if (performance.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`the broker does not get ready:\n${said()}`);
    }
  }
}
/** It ended before it was ready: by a crash point of its start, or because something is wrong. */
export class StartFailed extends Error {
  readonly ended: NodeJS.Signals | number | null;
  constructor(ended: NodeJS.Signals | number | null, output: string) {
    super(`the broker ended with ${String(ended)} before it was ready:\n${output}`);
    this.ended = ended;
  }
}

const clean = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('MESHBROKER_') && !name.startsWith('VITEST')));
function collect(child: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-200_000);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}
export const pause = (ms: number): Promise<undefined> => new Promise((resolve) => void setTimeout(() => resolve(undefined), ms));
