import { Option } from 'commander';
import type { Command } from 'commander';
import type { BindingState } from '../../bindings/binding.ts';
import type { InstanceState } from '../../instances/instance.ts';
import type { OperationState } from '../../operations/operation.ts';
import type { CommandContext } from '../context.ts';
import { cell, list, listing, momentOf } from './listing.ts';
import type { Line, ListOptions } from './listing.ts';

const instanceStates: readonly InstanceState[] = ['provisioning', 'ready', 'updating', 'deprovisioning', 'failed', 'gone'];
const bindingStates: readonly BindingState[] = ['binding', 'ready', 'expired', 'unbinding', 'failed', 'gone'];
const operationStates: readonly OperationState[] = ['pending', 'running', 'undoing', 'quarantined', 'succeeded', 'failed'];
const stateOption = (states: readonly string[]): Option => new Option('--state <state>', 'only those in this state').choices(states);

export function inventoryCommands(program: Command, context: CommandContext): void {
  resourceCommands(program, context);
  operationCommands(program, context);
}
function resourceCommands(program: Command, context: CommandContext): void {
  const instances = program.command('instances').description('what was ordered');
  listing(instances.command('list', { isDefault: true }))
    .description('service instances, newest first')
    .addOption(stateOption(instanceStates))
    .action((options: ListOptions & { state?: string }) =>
      list(
        context,
        '/v1/instances',
        { state: options.state },
        ['ref', 'instance_id', 'platform', 'state', 'offering', 'plan', 'created_at'],
        options,
      ),
    );
  const bindings = program.command('bindings').description('who may call what');
  listing(bindings.command('list', { isDefault: true }))
    .description('service bindings, newest first')
    .addOption(stateOption(bindingStates))
    .option('--consumer <name>', 'only those of this consumer, as reports name it')
    .option('--expires-before <time>', 'only those that end before this day or moment (2026-12-31T12:00:00Z)')
    .option('--instance <reference>', 'only those of this instance (mb-…)')
    .action((options: ListOptions & { state?: string; consumer?: string; expiresBefore?: string; instance?: string }) => {
      const query = {
        state: options.state,
        consumer: options.consumer,
        expires_before: momentOf(options.expiresBefore),
        instance: options.instance,
      };
      return list(
        context,
        '/v1/bindings',
        query,
        ['ref', 'binding_id', 'state', 'exposure', 'offering', 'plan', 'consumer', 'expires_at', 'renewal_due'],
        options,
      );
    });
}

function operationCommands(program: Command, context: CommandContext): void {
  const operations = program.command('operations').description('what the broker does and did');
  listing(operations.command('list', { isDefault: true }))
    .description('operations, newest first')
    .addOption(stateOption(operationStates))
    .option('--unfinished', 'only those that have not ended')
    .action((options: ListOptions & { state?: string; unfinished?: true }) => {
      const query = { state: options.state, unfinished: options.unfinished };
      return list(
        context,
        '/v1/operations',
        query,
        ['id', 'kind', 'resource', 'state', 'step', 'attempts', 'created_at', 'last_error'],
        options,
      );
    });
  operations
    .command('retry <id>')
    .description('run a quarantined or waiting operation now')
    .action(async (id: string) => {
      const operation = await (await context.broker()).json<Line>('POST', `/v1/operations/${encodeURIComponent(id)}/retry`);
      context.print(`${cell(operation['kind'])} of ${cell(operation['resource'])} will run now`);
    });
  program
    .command('guard')
    .description('what closes the workloads of an offering')
    .command('release <offering>')
    .description("remove the guard of an offering's workloads: this opens them to the whole mesh")
    .action(async (offering: string) => {
      const operation = await (await context.broker()).json<Line>('POST', `/v1/guards/${encodeURIComponent(offering)}/release`);
      context.print(`the guard of ${offering} will be removed (operation ${cell(operation['id'])})`);
    });
}
