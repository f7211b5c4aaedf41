import type { Command } from 'commander';
import { BrokerError } from '../../kernel/errors.ts';
import type { CommandContext } from '../context.ts';
import { credentialsFile, readCredentials, writeCredentials } from '../serve/data-files.ts';
import { table } from '../table.ts';

interface Platform {
  readonly name: string;
  readonly may_bind_for: readonly string[];
  readonly created_at: string;
  readonly revoked_at: string | null;
  readonly credentials?: readonly { readonly expires_at: string | null }[];
}
interface HandedOut {
  readonly username: string;
  readonly password: string;
  readonly old_expire_at?: string;
}
const path = (name: string): string => `/v1/platforms/${encodeURIComponent(name)}`;

export function accessCommands(program: Command, context: CommandContext): void {
  const platform = program.command('platform').description('OSB clients and their credentials');
  platform
    .command('create <name>')
    .description('make a platform; its password is shown once')
    .option('-n, --namespace <names...>', 'Kubernetes namespaces that it may bind for; "*" for all', [])
    .action(async (name: string, { namespace }: { namespace: string[] }) => {
      const made = await (await context.broker()).json<HandedOut>('POST', '/v1/platforms', { body: { name, may_bind_for: namespace } });
      context.print(`user      ${made.username}\npassword  ${made.password}`);
      if (namespace.length === 0) context.print(`It may not bind for any namespace yet: npx meshbroker platform allow ${name} NAMESPACE…`);
    });
  platform
    .command('allow <name> <namespaces...>')
    .description('set the namespaces that a platform may bind for; "*" for all')
    .action(async (name: string, namespaces: string[]) => {
      const { may_bind_for } = await (await context.broker()).json<Platform>('PATCH', path(name), { body: { may_bind_for: namespaces } });
      context.print(`${name} may bind for ${may_bind_for.join(', ')}`);
    });
  platform
    .command('list')
    .description('all platforms')
    .action(async () => {
      const { items } = await (await context.broker()).json<{ items: Platform[] }>('GET', '/v1/platforms');
      const rows = items.map(({ name, may_bind_for, created_at, revoked_at, credentials = [] }) => [
        name,
        revoked_at === null ? 'live' : 'revoked',
        String(credentials.length),
        created_at,
        may_bind_for.join(', '),
      ]);
      context.print(table(['name', 'state', 'credentials', 'created', 'may bind for'], rows));
    });
  platform
    .command('show')
    .description('user name and password of the platform that was made at the first start')
    .action(() => showFirst(context));
  platform
    .command('rotate <name>')
    .description('make a new password; the old ones work until the overlap ends')
    .option('--overlap <seconds>', 'seconds that the old ones go on working', '86400')
    .action((name: string, { overlap }: { overlap: string }) => rotate(context, name, Number(overlap)));
  platform
    .command('revoke <name>')
    .description('end all credentials of a platform at once; what it ordered stays')
    .action(async (name: string) => {
      await (await context.broker()).json('POST', `${path(name)}/revoke`);
      context.print(`${name} is revoked`);
    });
  tokenCommands(program, context);
}

async function showFirst({ config, print }: CommandContext): Promise<void> {
  const { access, dataDirectory } = config();
  if (access.platform !== null) {
    print(`user      ${access.platform.name}\npassword  as in MESHBROKER_PLATFORM`);
    return;
  }
  const { platform } = await readCredentials(dataDirectory);
  if (platform === undefined)
    throw new BrokerError('not-found', `${credentialsFile(dataDirectory)} holds no platform: it is made at the first start (npm start)`);
  print(`user      ${platform.user}\npassword  ${platform.password}`);
}

/** The file of the first start follows, so that `platform show` and the next start tell the password that works. */
async function rotate(context: CommandContext, name: string, overlapSeconds: number): Promise<void> {
  if (!Number.isInteger(overlapSeconds)) throw new BrokerError('bad-request', '--overlap: give a whole number of seconds');
  const rotated = await (
    await context.broker()
  ).json<HandedOut>('POST', `${path(name)}/rotate`, { body: { overlap_seconds: overlapSeconds } });
  const { dataDirectory } = context.config();
  const kept = await readCredentials(dataDirectory);
  if (kept.platform?.user === rotated.username)
    await writeCredentials(dataDirectory, { ...kept, platform: { user: rotated.username, password: rotated.password } });
  context.print(
    `user      ${rotated.username}\npassword  ${rotated.password}\nThe passwords before work until ${rotated.old_expire_at ?? 'now'}.`,
  );
}

function tokenCommands(program: Command, context: CommandContext): void {
  const token = program.command('token').description('tokens of admins (all of /v1) and collectors (may only post usage)');
  token
    .command('create <kind> <name>')
    .description('make an admin or collector token; it is shown once')
    .action(async (kind: string, name: string) => {
      const made = await (await context.broker()).json<{ token: string }>('POST', '/v1/tokens', { body: { kind, name } });
      context.print(made.token);
    });
  token
    .command('list')
    .description('live tokens, without their values')
    .action(async () => {
      const { items } = await (
        await context.broker()
      ).json<{ items: { kind: string; name: string; created_at: string }[] }>('GET', '/v1/tokens');
      context.print(table(['kind', 'name', 'created'], items.map(({ kind, name, created_at }) => [kind, name, created_at]))); // prettier-ignore
    });
  token
    .command('revoke <kind> <name>')
    .description('end a token at once')
    .action(async (kind: string, name: string) => {
      await (await context.broker()).json('DELETE', `/v1/tokens/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`);
      context.print(`${kind} token ${name} is revoked`);
    });
}
