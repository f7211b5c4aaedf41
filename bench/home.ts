import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty directory for one benchmark, which removes it. Started by root, the database runs as another user, who must get in. */
export async function benchHome(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mb-bench-'));
  await chmod(directory, 0o755);
  return directory;
}
