import { BrokerError } from '../kernel/errors.ts';
import type { Sql, SqlDatabase } from '../kernel/sql.ts';
import { dayMs, hourMs } from './event-time.ts';
import { reportStatement, scopeOf, windowsStatement } from './report-sql.ts';
import { coverWindow, zonedTime } from './report-windows.ts';
import { codeOf } from './sql-failure.ts';
import { unattributedPart } from './unattributed.ts';
import type { Report, ReportLine, ReportQuestion, UsageReports } from './usage-port.ts';

const mostWindows = 10_000;
const mostLines = 200_000;

interface Window {
  /** As the report shows it. */
  readonly start: string;
  readonly from: Date;
  readonly to: Date;
}
type Row = Readonly<Record<string, string | number | boolean>>;

/** Sums by window and key. Exact for every half-open interval and zone: what is no whole hour of UTC is computed from single events. */
export const pgUsageReports = (database: SqlDatabase): UsageReports => ({
  report: (question) =>
    database.bulk(async (tx) => {
      const { rows } = await tx.run<{ now: Date }>({ name: 'usage_report_now', text: 'select now() as now' });
      const windows = await windowsOf(tx, question);
      const lines = await linesOf(tx, question, windows);
      const unattributed = scopeOf(question) === 'all' ? unattributedPart(lines) : [];
      return { asOf: (rows[0]?.now ?? question.to).toISOString(), lines, unattributed } satisfies Report;
    }),
});

async function windowsOf(sql: Sql, { window, from, to, timeZone }: ReportQuestion): Promise<readonly Window[]> {
  const shortest = { hour: hourMs, day: dayMs, month: 28 * dayMs, total: Infinity }[window];
  if ((to.getTime() - from.getTime()) / shortest > mostWindows)
    throw new BrokerError('bad-request', `window: from and to are more than ${mostWindows} times ${window} apart: ask for longer windows`);
  const { rows } = await sql.run<{ start: Date; local: string }>(windowsStatement(window), [from, to, timeZone]).catch((error: unknown) => {
    if (codeOf(error) !== '22023') throw error;
    throw new BrokerError('bad-request', 'time_zone: the database does not know this zone: use an IANA name such as Europe/Berlin');
  });
  return rows.map(({ start, local }, index) => ({
    start: zonedTime(start, local),
    from: index === 0 ? from : start,
    to: rows[index + 1]?.start ?? to,
  }));
}

async function linesOf(sql: Sql, question: ReportQuestion, windows: readonly Window[]): Promise<readonly ReportLine[]> {
  const pieces = windows.flatMap(({ from, to }, index) => coverWindow(index, from.getTime(), to.getTime()));
  const scope = scopeOf(question);
  const values = [
    pieces.map((piece) => piece.window),
    pieces.map(({ kind }) => kind),
    pieces.map(({ from }) => new Date(from)),
    pieces.map(({ to }) => new Date(to)),
    windows.map((_, index) => index),
    windows.map(({ from }) => from),
    windows.map(({ to }) => to),
    ...(scope === 'all' ? [] : [question.bindingRef ?? question.platformId]),
  ];
  const { rows } = await sql.run<Row>(reportStatement(question, scope, mostLines + 1), values);
  if (rows.length > mostLines)
    throw new BrokerError(
      'bad-request',
      `the report has more than ${mostLines} lines: ask for fewer keys, longer windows or a shorter time`,
    );
  const dimensions = question.groupBy.filter((each) => each !== 'meter');
  return rows.map((row) => ({
    windowStart: windows[Number(row['number'])]?.start ?? '',
    keys: Object.fromEntries(dimensions.map((each, index) => [each, String(row[`k${index}`])])),
    meter: String(row['meter']),
    unit: String(row['unit']),
    total: String(row['total']),
    attributed: row['attributed'] === true,
  }));
}
