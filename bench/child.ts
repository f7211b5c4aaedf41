import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface BenchServer {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly database: string;
  stop(): Promise<void>;
}
/** Starts a script of this folder and waits for its one JSON line. */
export async function startChild(script: string, ...words: readonly string[]): Promise<BenchServer> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const facts = await new Promise<Omit<BenchServer, 'stop'>>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => resolve(JSON.parse(line) as Omit<BenchServer, 'stop'>));
    void gone.then(() => reject(new Error(`${script} ended`)));
  });
  return {
    ...facts,
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
