import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../config.ts';
import { packageFolder } from '../../package-folder.ts';
import type { Running } from '../serve/serve.ts';

export interface DemoBroker {
  readonly url: string;
  readonly tree: string;
  readonly platform: { readonly user: string; readonly password: string };
  readonly adminToken: string;
  stop(): Promise<void>;
}
const platform = { user: 'demo', password: 'demo-password-of-a-throw-away-instance' };
const adminToken = 'demo-admin-token-of-a-throw-away-instance';

/** A broker of this process on a free port, its data in a directory that goes with it. */
export async function demoBroker(): Promise<DemoBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-demo-'));
  await chmod(directory, 0o755); // started by root, the database runs as another user, who must get here
  const config = loadConfig({
    MESHBROKER_DATA_DIR: directory,
    MESHBROKER_LISTEN: '127.0.0.1:0',
    MESHBROKER_LOG_LEVEL: 'silent',
    MESHBROKER_CATALOG: join(packageFolder, 'examples/bookinfo'),
    MESHBROKER_TRUST_DOMAIN: 'mesh.example.com',
    MESHBROKER_BINDING_TRUST_DOMAIN: 'bindings.example.com',
    MESHBROKER_PLATFORM: `${platform.user}:${platform.password}`,
    MESHBROKER_ADMIN_TOKEN: adminToken,
  });
  const { serve } = await import('../serve/serve.ts');
  const running: Running = await serve(config);
  return {
    url: running.url,
    tree: config.mesh.gitops.directory,
    platform,
    adminToken,
    async stop() {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
