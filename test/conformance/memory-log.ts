import type { LogFields, Logger } from '../../src/kernel/logger.ts';

/** A log whose lines can be looked at. */
export function memoryLog(): { readonly logger: Logger; readonly lines: readonly LogFields[] } {
  const lines: LogFields[] = [];
  const log = (fields: LogFields, message: string): void => void lines.push({ ...fields, message });
  return { lines, logger: { debug: log, info: log, warn: log, error: log } };
}
