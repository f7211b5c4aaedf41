import type { BackgroundTask } from '../kernel/background.ts';
import type { Logger } from '../kernel/logger.ts';
import type { AuditLog } from './audit.ts';

/** A request that was refused for who sent it. */
export interface Denial {
  /** `platform:cf-eu`, `admin:name`; for a wrong credential the claimed user name, else `anonymous`. */
  readonly actor: string;
  readonly address: string;
  readonly operationId: string | null;
  readonly status: number;
  readonly requestId: string;
}
export interface DenialLog {
  /** Never throws and never waits: a refusal is answered at once. */
  record(denial: Denial): void;
  /** Writes what repeats of the last window were only counted; a background task, also called at shutdown. */
  readonly task: BackgroundTask;
}
const windowMs = 10_000;
/** Different denials written in one window; the rest of a storm becomes one row. Higher would let anybody grow the table. */
const distinctPerWindow = 64;

/** The first denial of a kind is a row of its own; its repeats within ten seconds become one row with a count. */
export function denialLog(audit: AuditLog, logger: Logger): DenialLog {
  let repeats = new Map<string, { denial: Denial; count: number }>();
  const write = async (denial: Denial, count: number): Promise<void> => {
    const { actor, address, operationId, status, requestId } = denial;
    const detail = { address, operation: operationId, status, ...(count > 1 ? { count } : {}) };
    try {
      await audit.append({
        actor,
        originatingIdentity: null,
        requestId,
        action: 'request.denied',
        resource: null,
        outcome: 'denied',
        detail,
      });
    } catch (error) {
      logger.warn({ error, actor, status, count }, 'a denial could not be written to the audit log');
    }
  };
  return {
    record(denial) {
      const key = JSON.stringify([denial.actor, denial.address, denial.status, denial.operationId]);
      const known = repeats.get(key);
      if (known !== undefined) {
        known.count += 1;
      } else if (repeats.size < distinctPerWindow) {
        repeats.set(key, { denial, count: 0 });
        void write(denial, 1);
      } else {
        const others = repeats.get('') ?? { denial: { ...denial, actor: 'others', operationId: null }, count: 0 };
        others.count += 1;
        repeats.set('', others);
      }
    },
    task: {
      name: 'audit-denials',
      everyMs: windowMs,
      async activate() {
        const counted = [...repeats.values()].filter(({ count }) => count > 0);
        repeats = new Map();
        for (const { denial, count } of counted) await write(denial, count);
        return false;
      },
    },
  };
}
