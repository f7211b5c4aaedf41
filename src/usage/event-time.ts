export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of an RFC 3339 time, finer digits cut off; undefined when it is none. */
export function parseTime(text: string): number | undefined {
  if (!rfc3339.test(text)) return text === text.toUpperCase() ? undefined : parseTime(text.toUpperCase());
  const time = Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  return mayBeAfter28(text) && !isInMonth(text) ? undefined : time;
}
const mayBeAfter28 = (text: string): boolean => (text.charCodeAt(8) >= 0x32 && text.charCodeAt(9) >= 0x39) || text.charCodeAt(8) === 0x33;
/** Date.parse takes the 30th of February for the 2nd of March. */
function isInMonth(text: string): boolean {
  const day = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day) && new Date(day).getUTCDate() === Number(text.slice(8, 10));
}

/** `20261123`, the UTC day as leaves are named. */
export const leafDay = (dayStart: number): string => new Date(dayStart).toISOString().slice(0, 10).replaceAll('-', '');
