import pino from 'pino';
import type { DestinationStream } from 'pino';
import type { LogFields, Logger } from '../kernel/logger.ts';
import { scrub } from './scrub.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export interface FlushableLogger extends Logger {
  /** Writes what is still in memory: before the process ends. */
  flush(): void;
}

/** One JSON object per line. `destination`: standard output unless given. */
export function createLogger(level: LogLevel, destination?: DestinationStream): FlushableLogger {
  const own = destination === undefined ? pino.destination({ fd: 1, sync: false, minLength: 0 }) : undefined;
  const log = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    own ?? destination ?? pino.destination(1),
  );
  const write =
    (to: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: LogFields, message: string): void => {
      if (log.isLevelEnabled(to)) log[to](scrub(fields), message);
    };
  return {
    debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error'),
    flush() {
      try {
        own?.flushSync();
      } catch {
        // standard output is closed: nobody reads it any more
      }
    },
  }; // prettier-ignore
}
