import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { gitopsMesh } from '../../src/mesh/drivers/gitops/gitops-mesh.ts';
import { memoryMesh } from '../../src/mesh/drivers/memory.ts';
import { describeMeshDriver } from '../contract/mesh-driver.ts';

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));

describeMeshDriver('memory', () => Promise.resolve(memoryMesh()));
describeMeshDriver('gitops', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-gitops-'));
  directories.push(directory);
  return gitopsMesh({ directory: join(directory, 'tree'), remote: null, branch: 'main' }, (work) => work());
});
