import pg from 'pg';
import type { Logger } from '../kernel/logger.ts';
import { connectionConfig } from './connection.ts';

export interface Listener {
  stop(): Promise<void>;
}
export interface ListenOptions {
  readonly url: string;
  readonly logger: Logger;
  /** Pause before a lost connection is made anew. */
  readonly reconnectMs?: number;
}
/** What to do when something is notified on a channel; the payload is as sent. */
export type Handlers = Readonly<Record<string, (payload: string) => void>>;

/**
 * Hears NOTIFY on a connection of its own, made anew when lost. Notifications are hints only: those sent while the connection was
 * away are not heard, so every handler is called once (with an empty payload) after each reconnection. Resolves when listening, or
 * at once when the database is away.
 */
export async function listen({ url, logger, reconnectMs = 1_000 }: ListenOptions, handlers: Handlers): Promise<Listener> {
  let stopped = false;
  let current: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  const later = (): void => {
    current = undefined;
    if (stopped || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void open(true);
    }, reconnectMs);
  };
  const open = async (again: boolean): Promise<void> => {
    const client = new pg.Client({ ...connectionConfig(url), application_name: 'meshbroker-listen' });
    const lost = (): void => {
      if (current === client) later();
    };
    client.on('error', lost).on('end', lost);
    client.on('notification', ({ channel, payload }) => handlers[channel]?.(payload ?? ''));
    current = client;
    try {
      await client.connect();
      await client.query(Object.keys(handlers).map((channel) => `listen ${client.escapeIdentifier(channel)}`).join(';')); // prettier-ignore
      if (again) for (const handler of Object.values(handlers)) handler('');
    } catch (error) {
      logger.warn({ error: error instanceof Error ? error.message : String(error) }, 'cannot listen for notifications; polling goes on');
      client.end().catch(() => undefined);
      later();
    }
  };
  await open(false);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await current?.end();
    },
  };
}
