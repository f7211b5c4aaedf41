import { memoryMesh } from '../mesh/drivers/memory.ts';
import type { MeshDriver } from '../mesh/mesh-driver.ts';
import type { AppConfig, AppParts } from './app-settings.ts';

export function meshDriverOf(_config: AppConfig, _parts: AppParts): MeshDriver {
  return memoryMesh();
}
