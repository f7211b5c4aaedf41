import type { Command } from 'commander';
import { dump } from 'js-yaml';
import { accessLogProvider } from '../../mesh/access-log-format.ts';
import type { CommandContext } from '../context.ts';

/** What the operator gives the mesh, made of the settings; needs no running broker. */
export function meshCommands(program: Command, { config, print }: CommandContext): void {
  program
    .command('mesh')
    .description('what the mesh needs once')
    .command('access-log-provider')
    .description("the extension provider for MeshConfig that writes the broker's access-log format, as YAML")
    .action(() => {
      const provider = { extensionProviders: [accessLogProvider(config().mesh.settings)] };
      print(`# MeshConfig (istiod values: meshConfig)\n${dump(provider, { lineWidth: -1 }).trimEnd()}`);
    });
}
