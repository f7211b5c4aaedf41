import { Option } from 'commander';
import type { Command } from 'commander';
import type { AuditEntry } from '../../audit/audit.ts';
import type { CommandContext } from '../context.ts';
import { list, listing, momentOf } from './listing.ts';
import type { ListOptions } from './listing.ts';

interface AuditOptions extends ListOptions {
  readonly since?: string;
  readonly until?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly actor?: string;
  readonly resource?: string;
  readonly oldestFirst?: true;
}
const outcomes: readonly AuditEntry['outcome'][] = ['accepted', 'succeeded', 'failed', 'denied'];

export function auditCommands(program: Command, context: CommandContext): void {
  const audit = program.command('audit').description('who did what with what outcome');
  listing(audit.command('list', { isDefault: true }))
    .description('rows of the audit log, newest first')
    .option('--since <time>', 'from this day or moment on (2026-12-31T12:00:00Z)')
    .option('--until <time>', 'before this day or moment')
    .option('--action <name>', 'only this: binding.bind, request.denied …')
    .addOption(new Option('--outcome <outcome>', 'only those that ended so').choices(outcomes))
    .option('--actor <name>', 'only what this one did: platform:cf-eu, admin:NAME, broker')
    .option('--resource <reference>', 'only of this instance or binding (mb-…), or platform/NAME')
    .option('--oldest-first', 'in the order in which it happened')
    .action(({ since, until, action, outcome, actor, resource, oldestFirst, ...options }: AuditOptions) => {
      const order = oldestFirst === true ? 'oldest' : undefined;
      const query = { since: momentOf(since), until: momentOf(until), action, outcome, actor, resource, order };
      return list(context, '/v1/audit', query, ['at', 'actor', 'action', 'outcome', 'resource', 'request_id', 'detail'], options);
    });
}
