import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageFolder } from '../src/package-folder.ts';

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}
const bin = (name: string): string => join(packageFolder, 'node_modules/.bin', name);
/** The slowest first; two at a time. */
const checks: readonly Check[] = [
  {
    name: 'lint',
    command: [bin('eslint'), '.', '--cache', '--cache-location', '.cache/eslint', '--cache-strategy', 'content', '--max-warnings', '0'],
  },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  {
    name: 'boundaries',
    command: [bin('depcruise'), 'src', '--config', '.dependency-cruiser.cjs', '--cache', '.cache/depcruise', '--output-type', 'err'],
  },
  { name: 'format', command: [bin('prettier'), '--check', '.', '--cache', '--cache-location', '.cache/prettier', '--log-level', 'warn'] },
  { name: 'generated', command: [process.execPath, 'scripts/generate.ts', '--check'] },
];
const atOnce = 2;

async function run({ name, command }: Check): Promise<boolean> {
  const startedAt = performance.now();
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd: packageFolder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const status = await new Promise<number | null>((resolve, reject) => void child.once('error', reject).once('close', resolve));
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(11)} ${seconds.padStart(5)} s`);
  if (status !== 0) console.log(said.trimEnd());
  return status === 0;
}

const waiting = [...checks];
const results: boolean[] = [];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await run(next));
  }),
);
if (results.includes(false)) process.exitCode = 1;
