import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { packageFolder } from '../src/package-folder.ts';
import { settingsPage } from './settings-page.ts';

/** Everything in the repository that is made from something else: path → text. */
async function generated(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>([[join(packageFolder, 'docs/configuration.md'), settingsPage()]]);
  for (const name of ['osb', 'platform', 'ingest']) {
    const document = join(packageFolder, `openapi/${name}.yaml`);
    const nodes = await openapiTS(new URL(`file://${document}`));
    files.set(join(packageFolder, `src/api/generated/${name}.ts`), COMMENT_HEADER + astToString(nodes));
  }
  return files;
}

/** `--check`: writes nothing, and fails where a file is not what it is made from says. */
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const [path, text] of await generated()) {
  if ((await readFile(path, 'utf8').catch(() => '')) === text) continue;
  stale.push(relative(packageFolder, path));
  if (check) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
if (check && stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}; run npm run generate`);
  process.exitCode = 1;
}
if (!check) console.log(stale.length === 0 ? 'everything is up to date' : `written: ${stale.join(', ')}`);
