import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { figureOf, type Figure, type Round } from './figure.ts';
import { benchHome } from './home.ts';

const rounds = 5;
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** From `node src/main.ts` to ready, embedded database included: with no data yet, and with data from before. */
export async function benchStart(): Promise<readonly Figure[]> {
  const [cold, warm]: [Round[], Round[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const directory = await benchHome();
    cold.push({ value: await start(directory), ceiling: 0 });
    warm.push({ value: await start(directory), ceiling: 0 });
    await rm(directory, { recursive: true, force: true });
  }
  return [figureOf('start.cold', 's (goal 2.5)', cold), figureOf('start.warm', 's (goal 1.0)', warm)];
}

async function start(directory: string): Promise<number> {
  const begin = performance.now();
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, MESHBROKER_DATA_DIR: directory, MESHBROKER_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('the broker is ready')) resolve();
    });
    void gone.then(() => reject(new Error('the broker did not start')));
  });
  const seconds = (performance.now() - begin) / 1_000;
  child.kill('SIGTERM');
  await gone;
  return seconds;
}
