import { BrokerError } from '../../kernel/errors.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ReportDimension, ReportQuestion } from '../../usage/usage-port.ts';

export interface ReportQuery {
  readonly window?: ReportQuestion['window'] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly time_zone?: string | undefined;
}
const hourMs = 3_600_000;
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const day = /^(\d{4})-(\d\d)-(\d\d)$/;

/** Half-open [from, to): a day of the time zone or a moment each; by default this month until the end of this hour. */
export function toQuestion(
  query: ReportQuery,
  clock: Clock,
  rest: Pick<ReportQuestion, 'platformId' | 'bindingRef' | 'groupBy'>,
): ReportQuestion {
  const timeZone = query.time_zone ?? 'UTC';
  const offset = zoneOffset(timeZone);
  const now = clock.now().getTime();
  const local = new Date(now + offset(now)).toISOString();
  const from = moment('from', query.from ?? `${local.slice(0, 7)}-01`, offset);
  const to =
    query.to === undefined
      ? new Date(Math.max(from.getTime() + hourMs, Math.floor(now / hourMs + 1) * hourMs))
      : moment('to', query.to, offset);
  if (to <= from) throw new BrokerError('bad-request', 'to (query) must be later than from', { field: 'to' });
  return { ...rest, window: query.window ?? 'day', from, to, timeZone };
}

export const defaultDimensions: readonly ReportDimension[] = ['consumer', 'offering', 'meter'];

function moment(field: string, text: string, offset: (at: number) => number): Date {
  const refusal = new BrokerError('bad-request', `${field} (query) must be a day like 2026-11-01 or a moment like 2026-11-01T00:00:00Z`, {
    field,
  });
  if (instant.test(text)) {
    const at = new Date(text);
    if (Number.isNaN(at.getTime())) throw refusal;
    return at;
  }
  const midnight = Date.parse(`${text}T00:00:00Z`);
  if (!day.test(text) || Number.isNaN(midnight)) throw refusal;
  // The offset at the wanted moment is found by asking twice: it can change between the guess and the answer.
  return new Date(midnight - offset(midnight - offset(midnight)));
}

/** How far the clocks of a zone are ahead of UTC at a moment, in ms. */
function zoneOffset(timeZone: string): (at: number) => number {
  const format = formatOf(timeZone);
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const part = (name: string): number => parts[name] ?? 0;
    return (
      Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - Math.floor(at / 1_000) * 1_000
    );
  };
}
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const field = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: 'h23',
  } as const;
  try {
    if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(timeZone)) throw new RangeError('not a name');
    return new Intl.DateTimeFormat('en-US', { timeZone, ...field });
  } catch {
    throw new BrokerError('bad-request', 'time_zone (query) must be an IANA name such as Europe/Berlin or UTC', { field: 'time_zone' });
  }
}
