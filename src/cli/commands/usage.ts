import type { Command } from 'commander';
import type { CloudEvent, FileImport } from '../../usage/import/import-access-logs.ts';
import { gatewayHostTest } from '../../mesh/hosts.ts';
import { workloadId } from '../../mesh/principal-name.ts';
import { importAccessLogs } from '../../usage/import/import-access-logs.ts';
import type { Receipt } from '../../usage/usage-port.ts';
import type { CommandContext } from '../context.ts';
import { table } from '../table.ts';

interface ReportOptions {
  readonly groupBy?: string;
  readonly window?: string;
  readonly from?: string;
  readonly to?: string;
  readonly timeZone?: string;
  readonly binding?: string;
  readonly format?: string;
}
type ReportLine = Readonly<Record<string, string | boolean>>;
interface Report {
  readonly as_of: string;
  readonly from: string;
  readonly to: string;
  readonly time_zone: string;
  readonly group_by: readonly string[];
  readonly lines: readonly ReportLine[];
  readonly unattributed: readonly { readonly meter: string; readonly total: string; readonly share: string }[];
}

export function usageCommands(program: Command, context: CommandContext): void {
  const usage = program.command('usage').description('what consumers used');
  usage
    .command('import <files...>')
    .description('read Envoy access logs and post what counts; may be repeated')
    .option('--principal <spiffe id>', 'whose own outbound log this is, where the format does not name the caller')
    .action((files: string[], { principal }: { principal?: string }) => importFiles(context, files, principal ?? null));
  usage
    .command('report')
    .description('totals by consumer, offering and meter, or as asked')
    .option('--group-by <dimensions>', 'consumer, organization, offering, plan, instance, binding, meter; separated by commas')
    .option('--window <window>', 'hour, day, month or total', 'total')
    .option('--from <time>', 'included; a moment or a day; default: the first of this month')
    .option('--to <time>', 'not included; default: the end of this hour')
    .option('--time-zone <name>', 'IANA name; default UTC')
    .option('--binding <reference>', 'of one binding only (mb-…)')
    .option('--format <format>', 'json, csv or ndjson instead of a table')
    .action((options: ReportOptions) => report(context, options));
}

async function importFiles(context: CommandContext, files: readonly string[], principal: string | null): Promise<void> {
  const broker = await context.broker();
  const post = (batch: readonly CloudEvent[]): Promise<Receipt> =>
    broker.json<Receipt>('POST', '/v1/usage/events', {
      body: JSON.stringify(batch),
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    });
  const { trustDomain, gateway } = context.config().mesh.settings;
  const relaying = { principal: workloadId(trustDomain, gateway.namespace, gateway.serviceAccount), isOfBinding: gatewayHostTest(gateway) };
  const imported = await importAccessLogs({ files, principal, gateway: relaying, post });
  const counts = ['lines', 'requests', 'accepted', 'duplicate', 'conflict', 'rejected'] as const;
  context.print(table(['file', ...counts], imported.map((file) => [file.file, ...counts.map((name) => String(file[name]))]))); // prettier-ignore
  const reasons = imported.flatMap((file) => reasonLines(file, principal));
  if (reasons.length > 0) context.print(`\n${reasons.join('\n')}`);
  if (imported.every(({ requests }) => requests === 0) || imported.some(({ conflict, rejected }) => conflict + rejected > 0))
    context.fail();
}
function reasonLines({ file, lines, requests, reasons }: FileImport, principal: string | null): readonly string[] {
  const fix = principal === null ? "; where it is one caller's own log and the called services have none, give --principal" : '';
  const head = requests === 0 ? [`${file}: nothing was counted, of ${lines} ${lines === 1 ? 'line' : 'lines'}${fix}`] : [];
  return [...head, ...[...reasons].map(([reason, count]) => `${file}: ${count} not counted: ${reason}`)];
}

async function report(context: CommandContext, options: ReportOptions): Promise<void> {
  const { groupBy, window, from, to, timeZone, binding, format } = options;
  const broker = await context.broker();
  const path = binding === undefined ? '/v1/usage/report' : `/v1/bindings/${encodeURIComponent(binding)}/usage`;
  const query = { window, from, to, time_zone: timeZone, ...(binding === undefined ? { group_by: groupBy, format } : {}) };
  if (format !== undefined) {
    context.print((await broker.text('GET', path, { query })).trimEnd());
    return;
  }
  print(context, await broker.json<Report>('GET', path, { query }), window !== 'total');
}

function print({ print }: CommandContext, { lines, unattributed, as_of, from, to, time_zone, group_by }: Report, windows: boolean): void {
  const keys = group_by.filter((name) => name !== 'meter');
  const columns = [...(windows ? ['window_start'] : []), ...keys, 'meter', 'total', 'unit'];
  const cell = (line: ReportLine, name: string): string => {
    const value = line[name];
    if (typeof value === 'string' && value !== '') return value;
    return line['attributed'] === false ? '(unattributed)' : '-';
  };
  print(table(columns.map((name) => name.replaceAll('_', ' ')), lines.map((line) => columns.map((name) => cell(line, name))))); // prettier-ignore
  print(`\n${from} to ${to} (${time_zone}), as of ${as_of}`);
  if (unattributed.length === 0) return;
  const shares = unattributed.map(({ meter, total, share }) => [meter, total, (Number(share) * 100).toFixed(2)]);
  print(`\n${table(['unattributed', 'total', '% of all'], shares)}`);
}
