import { isDeepStrictEqual } from 'node:util';
import { newSecret } from '../../access/credential.ts';
import type { PlatformService } from '../../access/platform-service.ts';
import type { Config } from '../../config.ts';
import { sha256Hex } from '../../kernel/ids.ts';
import type { Random } from '../../kernel/random.ts';
import type { NamedPassword } from '../../setting-values.ts';
import type { FirstCredentials } from './data-files.ts';
import { readCredentials, writeCredentials } from './data-files.ts';

/** How somebody gets in after a start. */
export interface FirstAccess {
  readonly user: string;
  /** null: it stands in MESHBROKER_PLATFORM, and is printed nowhere. */
  readonly password: string | null;
}
const firstPlatform = 'platform';
const everyNamespace = ['*'];

/**
 * The first platform and the first admin token: of the settings, or made up and kept in the data directory. The file is written
 * before the database, so that a start killed in between can be repeated.
 */
export async function ensureFirstAccess(
  config: Pick<Config, 'access' | 'dataDirectory'>,
  platforms: Pick<PlatformService, 'ensurePlatform' | 'ensureToken'>,
  random: Random,
): Promise<FirstAccess> {
  const { platform, adminToken } = config.access;
  const kept = await readCredentials(config.dataDirectory);
  const needed: FirstCredentials = {
    ...(platform === null ? { platform: kept.platform ?? { user: firstPlatform, password: newSecret('platform', random) } } : {}),
    ...(adminToken === null ? { adminToken: kept.adminToken ?? newSecret('admin', random) } : {}),
  };
  const next = { ...kept, ...needed };
  if (!isDeepStrictEqual(next, kept)) await writeCredentials(config.dataDirectory, next);

  if (adminToken !== null) await platforms.ensureToken('admin', 'setting', adminToken);
  if (needed.adminToken !== undefined) await platforms.ensureToken('admin', nameOf(needed.adminToken), needed.adminToken);
  const first = platform ?? named(needed.platform);
  if (first === null) throw new Error('one of both is there');
  await platforms.ensurePlatform({ ...first, mayBindFor: everyNamespace });
  return { user: first.name, password: platform === null ? first.password : null };
}
/** Each data directory has a token of its own: several replicas do not replace each other's. */
const nameOf = (token: string): string => `data-${sha256Hex(token).slice(0, 8)}`;
const named = (platform: FirstCredentials['platform']): NamedPassword | null =>
  platform === undefined ? null : { name: platform.user, password: platform.password };
