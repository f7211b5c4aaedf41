import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFolder } from '../../package-folder.ts';
import { importAccessLogs, type FileImport, type ImportQuestion } from '../../usage/import/import-access-logs.ts';

const recordedPrincipal = 'spiffe://bindings.example.com/ns/org-demo/sa/recorded';
const folder = join(packageFolder, 'examples/bookinfo/access-log');

/** Replays the recorded logs as if they had just been written: each time moved to now, the off-mesh caller with the SVID of this run. */
export async function replay(offMeshPrincipal: string, now: Date, post: ImportQuestion['post']): Promise<readonly FileImport[]> {
  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-demo-log-'));
  try {
    const files: string[] = [];
    for (const name of (await readdir(folder)).sort()) {
      const text = (await readFile(join(folder, name), 'utf8')).replaceAll(recordedPrincipal, offMeshPrincipal);
      const file = join(directory, name);
      await writeFile(file, text.replaceAll(/"start_time":"[^"]+"/g, `"start_time":"${now.toISOString()}"`));
      files.push(file);
    }
    return await importAccessLogs({ files, principal: null, post });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
