import type { Clock } from '../../kernel/clock.ts';
import type { Inventory } from '../../operations/inventory-port.ts';
import type { Report, ReportLine, ReportQuestion, UsageReports } from '../../usage/usage-port.ts';
import type { Reply, Request } from '../contract.ts';
import type { components, operations } from '../generated/platform.ts';
import { scopeOf } from './caller.ts';
import { findBinding } from './inventory.ts';
import { defaultDimensions, toQuestion } from './report-question.ts';

type Schemas = components['schemas'];
const toApiLine = ({ windowStart, keys, meter, unit, total, attributed }: ReportLine): Schemas['ReportLine'] => ({
  window_start: windowStart,
  ...keys,
  meter,
  unit,
  total,
  attributed,
});
const toApiReport = (question: ReportQuestion, report: Report): Schemas['Report'] => ({
  as_of: report.asOf,
  from: question.from.toISOString(),
  to: question.to.toISOString(),
  window: question.window,
  time_zone: question.timeZone,
  group_by: [...question.groupBy],
  lines: report.lines.map(toApiLine),
  unattributed: report.unattributed.map((each) => ({ ...each })),
});

/** RFC 4180; a value that a spreadsheet would run as a formula is preceded by an apostrophe. */
function csvField(value: string): string {
  const safe = /^[=+@\t\r]/.test(value) || /^-(?![0-9.]+$)/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export function toCsv(question: ReportQuestion, report: Report): string {
  const dimensions = question.groupBy.filter((dimension) => dimension !== 'meter');
  const head = ['window_start', ...dimensions, 'meter', 'unit', 'total', 'attributed'];
  const rows = report.lines.map((line) => [
    line.windowStart,
    ...dimensions.map((dimension) => line.keys[dimension] ?? ''),
    line.meter,
    line.unit,
    line.total,
    String(line.attributed),
  ]);
  return [head, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}
const toNdjson = (report: Report): string =>
  [...report.lines.map(toApiLine), { as_of: report.asOf, unattributed: report.unattributed }]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');

type Ask = operations['usage.report'];
type Format = 'json' | 'csv' | 'ndjson';
function formatOf(request: Request<Ask>): Format {
  if (request.query.format !== undefined) return request.query.format;
  const accept = request.header('accept') ?? '';
  if (/text\/csv/i.test(accept)) return 'csv';
  return /application\/x-ndjson/i.test(accept) ? 'ndjson' : 'json';
}

export const usageReport =
  (reports: UsageReports, clock: Clock) =>
  async (request: Request<Ask>): Promise<Reply<Ask>> => {
    const { query, context } = request;
    const question = toQuestion(query, clock, {
      platformId: scopeOf(context),
      bindingRef: null,
      groupBy: [...new Set(query.group_by ?? defaultDimensions)],
    });
    const report = await reports.report(question);
    switch (formatOf(request)) {
      case 'csv': {
        const unattributed = report.unattributed.map(({ meter, total, share }) => `${meter}=${total} (${share})`).join(', ');
        const headers = {
          'Meshbroker-As-Of': report.asOf,
          'Meshbroker-Unattributed': unattributed,
          'Content-Disposition': 'attachment; filename="usage.csv"',
        };
        return { status: 200, type: 'text/csv', body: toCsv(question, report), headers };
      }
      case 'ndjson':
        return { status: 200, type: 'application/x-ndjson', body: toNdjson(report) };
      case 'json':
        return { status: 200, body: toApiReport(question, report) };
    }
  };

type OfBinding = operations['bindings.usage'];
export const bindingUsage =
  (reports: UsageReports, inventory: Inventory, clock: Clock) =>
  async ({ path, query, context }: Request<OfBinding>): Promise<Reply<OfBinding>> => {
    const platformId = scopeOf(context);
    await findBinding(inventory, path.ref, platformId);
    const question = toQuestion(query, clock, { platformId, bindingRef: path.ref, groupBy: ['meter'] });
    return { status: 200, body: toApiReport(question, await reports.report(question)) };
  };
