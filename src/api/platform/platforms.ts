import type { PlatformRow } from '../../access/access-store.ts';
import type { AccessCaller, HandedOut, PlatformService } from '../../access/platform-service.ts';
import type { Reply, Request, RequestContext } from '../contract.ts';
import type { components, operations } from '../generated/platform.ts';
import { actorOf } from './caller.ts';

type Schemas = components['schemas'];
const callerOf = (context: RequestContext): AccessCaller => ({ actor: actorOf(context), requestId: context.requestId });

const toApiPlatform = ({ id, name, mayBindFor, createdAt, revokedAt }: PlatformRow): Schemas['Platform'] => ({
  id,
  name,
  may_bind_for: [...mayBindFor],
  created_at: createdAt.toISOString(),
  revoked_at: revokedAt?.toISOString() ?? null,
});
const toApiHandedOut = ({ platform, username, password }: HandedOut): Schemas['HandedOut'] => ({
  platform: toApiPlatform(platform),
  username,
  password,
});

export const listPlatforms = (platforms: PlatformService) => async (): Promise<Reply<operations['platforms.list']>> => {
  const items = (await platforms.list()).map((platform) => ({
    ...toApiPlatform(platform),
    credentials: platform.credentials.map(({ id, createdAt, expiresAt }) => ({
      id,
      created_at: createdAt.toISOString(),
      expires_at: expiresAt?.toISOString() ?? null,
    })),
  }));
  return { status: 200, body: { items } };
};

type Create = operations['platforms.create'];
export const createPlatform =
  (platforms: PlatformService) =>
  async ({ body, context }: Request<Create>): Promise<Reply<Create>> => {
    const handedOut = await platforms.create(callerOf(context), { name: body.name, mayBindFor: body.may_bind_for ?? [] });
    return { status: 201, body: toApiHandedOut(handedOut) };
  };

type Update = operations['platforms.update'];
export const updatePlatform =
  (platforms: PlatformService) =>
  async ({ path, body, context }: Request<Update>): Promise<Reply<Update>> => {
    const platform = await platforms.allowNamespaces(callerOf(context), path.platform, body.may_bind_for);
    return { status: 200, body: toApiPlatform(platform) };
  };

type Rotate = operations['platforms.rotate'];
const oneDaySeconds = 86_400;
export const rotatePlatform =
  (platforms: PlatformService) =>
  async ({ path, body, context }: Request<Rotate>): Promise<Reply<Rotate>> => {
    const rotated = await platforms.rotate(callerOf(context), path.platform, body?.overlap_seconds ?? oneDaySeconds);
    return { status: 200, body: { ...toApiHandedOut(rotated), old_expire_at: rotated.oldExpireAt.toISOString() } };
  };

type Revoke = operations['platforms.revoke'];
export const revokePlatform =
  (platforms: PlatformService) =>
  async ({ path, context }: Request<Revoke>): Promise<Reply<Revoke>> => {
    await platforms.revoke(callerOf(context), path.platform);
    return { status: 204 };
  };

export const listTokens = (platforms: PlatformService) => async (): Promise<Reply<operations['tokens.list']>> => {
  const items = (await platforms.tokens()).map(({ id, kind, name, createdAt }) => ({
    id,
    kind,
    name,
    created_at: createdAt.toISOString(),
  }));
  return { status: 200, body: { items } };
};

type CreateToken = operations['tokens.create'];
export const createToken =
  (platforms: PlatformService) =>
  async ({ body, context }: Request<CreateToken>): Promise<Reply<CreateToken>> => ({
    status: 201,
    body: await platforms.createToken(callerOf(context), body.kind, body.name),
  });

type RevokeToken = operations['tokens.revoke'];
export const revokeToken =
  (platforms: PlatformService) =>
  async ({ path, context }: Request<RevokeToken>): Promise<Reply<RevokeToken>> => {
    await platforms.revokeToken(callerOf(context), path.kind, path.name);
    return { status: 204 };
  };
