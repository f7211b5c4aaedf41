import type { AuditLog } from '../audit/audit.ts';
import { BrokerError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json.ts';
import { point } from '../kernel/points.ts';
import type { Random } from '../kernel/random.ts';
import type { Transact } from '../kernel/transact.ts';
import type { AccessChanges } from './access-changes.ts';
import type { AccessStore, CredentialRow, PlatformRow, TokenRow } from './access-store.ts';
import { credentialDigest, newSecret } from './credential.ts';

/** Who asks, for the audit row: `admin:token-name`, or `broker` at the first start. */
export interface AccessCaller {
  readonly actor: string;
  readonly requestId: string | null;
}
export interface PlatformLine extends PlatformRow {
  readonly credentials: readonly Omit<CredentialRow, 'platformId'>[];
}
/** The only moment at which a password is known outside the platform. */
export interface HandedOut {
  readonly platform: PlatformRow;
  readonly username: string;
  readonly password: string;
}
export interface Rotated extends HandedOut {
  /** Until then the credentials before still work. */
  readonly oldExpireAt: Date;
}
export type TokenKind = TokenRow['kind'];
interface Stores {
  readonly access: AccessStore;
  readonly audit: AuditLog;
}
export interface PlatformServiceDeps {
  readonly transact: Transact<Stores>;
  /** The same store outside a transaction, for lists. */
  readonly access: AccessStore;
  readonly hmacKey: Uint8Array;
  readonly random: Random;
  readonly changes: AccessChanges;
}

const namePattern = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
const namespacePattern = /^(?:\*|[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;
const longestOverlapSeconds = 30 * 86_400;

/**
 * Platforms, their credentials, and the tokens of admins and collectors. Each change and its audit row are one transaction.
 * Refusals: bad-request, not-found, conflict. Secrets are in the answers only.
 */
export class PlatformService {
  readonly #deps: PlatformServiceDeps;
  constructor(deps: PlatformServiceDeps) {
    this.#deps = deps;
  }

  /** Not repeatable: a taken name is a conflict. */
  async create(caller: AccessCaller, wanted: { readonly name: string; readonly mayBindFor: readonly string[] }): Promise<HandedOut> {
    checkName(wanted.name);
    checkNamespaces(wanted.mayBindFor);
    const password = newSecret('platform', this.#deps.random);
    const platform = await this.#change(async ({ access, audit }) => {
      const id = this.#deps.random.uuid();
      if (!(await access.insertPlatform({ id, ...wanted })))
        throw new BrokerError('conflict', `name: ${wanted.name} is taken, choose another`, { field: 'name' });
      await this.#addCredential(access, id, wanted.name, password);
      await audit.append(entry(caller, 'platform.create', wanted.name, { may_bind_for: [...wanted.mayBindFor] }));
      return mustFind(await access.lockPlatform(id), wanted.name);
    });
    return { platform, username: platform.name, password };
  }

  async list(): Promise<readonly PlatformLine[]> {
    const [platforms, credentials] = await Promise.all([this.#deps.access.platforms(), this.#deps.access.credentials()]);
    return platforms.map((platform) => ({
      ...platform,
      credentials: credentials
        .filter((each) => each.platformId === platform.id)
        .map(({ id, createdAt, expiresAt }) => ({ id, createdAt, expiresAt })),
    }));
  }

  /** A new credential beside the old ones, which end after the overlap. Repeatable: each repeat makes one more and ends the one before. */
  async rotate(caller: AccessCaller, nameOrId: string, overlapSeconds: number): Promise<Rotated> {
    if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > longestOverlapSeconds) {
      throw new BrokerError('bad-request', `overlap_seconds must be a whole number from 0 to ${longestOverlapSeconds}`, {
        field: 'overlap_seconds',
      });
    }
    const password = newSecret('platform', this.#deps.random);
    const rotated = await this.#change(async ({ access, audit }) => {
      const platform = mustLive(await access.lockPlatform(nameOrId), nameOrId);
      const credentialId = await this.#addCredential(access, platform.id, platform.name, password);
      const oldExpireAt = await access.expireOthers(platform.id, credentialId, overlapSeconds);
      await audit.append(entry(caller, 'platform.rotate', platform.name, { overlap_seconds: overlapSeconds }));
      return { platform, username: platform.name, password, oldExpireAt };
    });
    await point('R8');
    return rotated;
  }

  /** Its credentials stop working; what it owns stays. Repeatable. */
  async revoke(caller: AccessCaller, nameOrId: string): Promise<void> {
    await this.#change(async ({ access, audit }) => {
      const platform = mustFind(await access.lockPlatform(nameOrId), nameOrId);
      if (platform.revokedAt !== null) return;
      await access.revokePlatform(platform.id);
      await audit.append(entry(caller, 'platform.revoke', platform.name, {}));
    });
  }

  async allowNamespaces(caller: AccessCaller, nameOrId: string, mayBindFor: readonly string[]): Promise<PlatformRow> {
    checkNamespaces(mayBindFor);
    return this.#change(async ({ access, audit }) => {
      const platform = mustLive(await access.lockPlatform(nameOrId), nameOrId);
      await access.setMayBindFor(platform.id, mayBindFor);
      await audit.append(entry(caller, 'platform.allow-namespaces', platform.name, { may_bind_for: [...mayBindFor] }));
      return { ...platform, mayBindFor };
    });
  }

  /**
   * The platform of a setting: made with the given password unless it is there; a password that is new for it is added, one that
   * was rotated out or revoked stays so. Repeatable, by several replicas at once.
   */
  async ensurePlatform(given: {
    readonly name: string;
    readonly password: string;
    readonly mayBindFor: readonly string[];
  }): Promise<'created' | 'added' | 'kept'> {
    const caller = { actor: 'broker', requestId: null };
    return this.#change(async ({ access, audit }) => {
      const created = await access.insertPlatform({ id: this.#deps.random.uuid(), name: given.name, mayBindFor: given.mayBindFor });
      const platform = mustFind(await access.lockPlatform(given.name), given.name);
      if (platform.revokedAt !== null) return 'kept';
      const digest = credentialDigest(this.#deps.hmacKey, platform.name, given.password);
      const added = await access.insertCredential({
        id: this.#deps.random.uuid(),
        kind: 'platform',
        platformId: platform.id,
        name: platform.name,
        digest,
      });
      if (!added) return 'kept';
      await audit.append(entry(caller, created ? 'platform.create' : 'platform.add-credential', platform.name, { by: 'setting' }));
      return created ? 'created' : 'added';
    });
  }

  /** A token of a setting, under a name that only settings use: another value replaces it. Repeatable. */
  async ensureToken(kind: TokenKind, name: string, token: string): Promise<void> {
    const digest = credentialDigest(this.#deps.hmacKey, null, token);
    if ((await this.#deps.access.findLive(digest)) !== undefined) return;
    await this.#change(async ({ access, audit }) => {
      await access.replaceToken({ id: this.#deps.random.uuid(), kind, name, digest });
      await audit.append(entry({ actor: 'broker', requestId: null }, 'token.create', `${kind}:${name}`, { by: 'setting' }));
    });
  }

  async createToken(
    caller: AccessCaller,
    kind: TokenKind,
    name: string,
  ): Promise<{ readonly kind: TokenKind; readonly name: string; readonly token: string }> {
    checkName(name);
    const token = newSecret(kind, this.#deps.random);
    await this.#change(async ({ access, audit }) => {
      const digest = credentialDigest(this.#deps.hmacKey, null, token);
      const added = await access.insertCredential({ id: this.#deps.random.uuid(), kind, platformId: null, name, digest });
      if (!added)
        throw new BrokerError('conflict', `name: a ${kind} token ${name} exists, choose another name or revoke it first`, {
          field: 'name',
        });
      await audit.append(entry(caller, 'token.create', `${kind}:${name}`, {}));
    });
    return { kind, name, token };
  }

  tokens(): Promise<readonly TokenRow[]> {
    return this.#deps.access.tokens();
  }

  async revokeToken(caller: AccessCaller, kind: TokenKind, name: string): Promise<void> {
    await this.#change(async ({ access, audit }) => {
      if (!(await access.revokeToken(kind, name))) throw new BrokerError('not-found', `there is no ${kind} token ${name}`);
      await audit.append(entry(caller, 'token.revoke', `${kind}:${name}`, {}));
    });
  }

  async #addCredential(access: AccessStore, platformId: string, name: string, password: string): Promise<string> {
    const id = this.#deps.random.uuid();
    await access.insertCredential({ id, kind: 'platform', platformId, name, digest: credentialDigest(this.#deps.hmacKey, name, password) });
    return id;
  }

  async #change<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
    const result = await this.#deps.transact(work);
    this.#deps.changes.changed();
    return result;
  }
}

function entry(caller: AccessCaller, action: string, resource: string, detail: JsonObject): Parameters<AuditLog['append']>[0] {
  return { ...caller, originatingIdentity: null, action, resource: `platform/${resource}`, outcome: 'succeeded', detail };
}
function mustFind(platform: PlatformRow | undefined, name: string): PlatformRow {
  if (platform === undefined) throw new BrokerError('not-found', `there is no platform ${name}: see the list of platforms`);
  return platform;
}
function mustLive(platform: PlatformRow | undefined, name: string): PlatformRow {
  const found = mustFind(platform, name);
  if (found.revokedAt !== null) throw new BrokerError('conflict', `platform ${found.name} is revoked: create another one`);
  return found;
}
function checkName(name: string): void {
  if (!namePattern.test(name))
    throw new BrokerError(
      'bad-request',
      'name must have 1 to 63 lower-case letters, digits, dots, dashes or underscores, and begin and end with a letter or digit',
      { field: 'name' },
    );
}
function checkNamespaces(namespaces: readonly string[]): void {
  const wrong = namespaces.find((namespace) => !namespacePattern.test(namespace));
  if (wrong !== undefined)
    throw new BrokerError(
      'bad-request',
      `may_bind_for: ${JSON.stringify(wrong)} is not a Kubernetes namespace; send names of namespaces, or "*" for all`,
      { field: 'may_bind_for' },
    );
}
