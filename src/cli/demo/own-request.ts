import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate signing request as the consumer's team makes one: with openssl, the key stays with them. */
export async function ownRequest(): Promise<{ readonly command: string; readonly csr: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-demo-csr-'));
  const words = [
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'nightly.key',
    '-out',
    'nightly.csr',
    '-subj',
    '/CN=nightly',
  ];
  try {
    await promisify(execFile)('openssl', words, { cwd: directory });
    return { command: `openssl ${words.join(' ')}`, csr: await readFile(join(directory, 'nightly.csr'), 'utf8') };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
