import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { emptyFolder } from './command-line.ts';

/** All that `npx meshbroker` says in a clone whose engine no Node satisfies. */
async function saidInClone(settings: string | null): Promise<string> {
  const folder = await emptyFolder();
  try {
    await mkdir(join(folder.path, 'clone/bin'), { recursive: true });
    const clone = join(folder.path, 'clone');
    const manifest = { name: 'meshbroker', version: '0.1.0', engines: { node: '>=99' }, bin: { meshbroker: 'bin/meshbroker.js' } };
    await writeFile(join(clone, 'package.json'), JSON.stringify(manifest));
    await writeFile(join(clone, 'bin/meshbroker.js'), "#!/usr/bin/env node\nconsole.log('it runs');\n", { mode: 0o755 });
    if (settings !== null) await copyFile(settings, join(clone, '.npmrc'));
    const environment = {
      PATH: process.env['PATH'],
      HOME: folder.path,
      npm_config_cache: join(folder.path, 'cache'),
      npm_config_update_notifier: 'false',
    };
    const { stdout, stderr } = await promisify(execFile)('npx', ['meshbroker'], { cwd: clone, env: environment });
    return stdout + stderr;
  } finally {
    await folder.remove();
  }
}
test('npx meshbroker says nothing but its own words in a clone, also beside an older node', { timeout: 60_000 }, async () => {
  expect(await saidInClone(null)).toContain('EBADENGINE');
  expect(await saidInClone('.npmrc')).toBe('it runs\n');
});
