import { memoryMesh } from '../mesh/drivers/memory.ts';
import type { MeshDriver } from '../mesh/mesh-driver.ts';
import type { AppConfig, AppParts } from './app-settings.ts';

export function meshDriverOf(_config: Pick<AppConfig, 'mesh'>, _parts: Pick<AppParts, 'locks' | 'logger'>): MeshDriver {
  return memoryMesh();
}
