import type { BackgroundTask } from '../kernel/background.ts';
import { cut } from '../kernel/cut.ts';
import type { Logger } from '../kernel/logger.ts';
import type { JsonObject } from '../kernel/json.ts';
import type { AuditLog } from './audit.ts';

/** A request that was refused for who sent it. */
export interface Denial {
  /** `platform:cf-eu`, `admin:name`; for a wrong credential the claimed user name, else `anonymous`. */
  readonly actor: string;
  readonly address: string;
  readonly operationId: string | null;
  readonly status: number;
  readonly requestId: string;
  /** null: nothing that a name was given for, or nobody who is known asked. */
  readonly asked: Asked | null;
}
/** What was asked for, in the caller's own words; long ones are cut. */
export interface Asked {
  readonly instanceId: string | null;
  readonly bindingId: string | null;
  /** Consumer namespace of a bind. */
  readonly namespace: string | null;
  /** As the caller was told. */
  readonly reason: string;
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
/** Of these, different things that one sender asked of one operation: who tries many names leaves room for what others are denied. */
const askedPerKind = 16;
const longest = 300;
const short = (text: string): string => cut(text, longest);
const detailOf = ({ instanceId, bindingId, namespace, reason }: Asked): JsonObject => ({
  ...(instanceId === null ? {} : { instance_id: short(instanceId) }),
  ...(bindingId === null ? {} : { binding_id: short(bindingId) }),
  ...(namespace === null ? {} : { namespace: short(namespace) }),
  reason: short(reason),
});

/**
 * The first denial of a kind (who, from where, what was asked for) is a row of its own; its repeats within ten seconds become one row with
 * a count.
 */
export function denialLog(audit: AuditLog, logger: Logger): DenialLog {
  let repeats = new Map<string, { denial: Denial; count: number }>();
  let kinds = new Map<string, number>();
  const write = async (denial: Denial, count: number): Promise<void> => {
    const { actor, address, operationId, status, requestId, asked } = denial;
    const what = asked === null ? {} : detailOf(asked);
    const detail = { address, operation: operationId, status, ...what, ...(count > 1 ? { count } : {}) };
    const resource = asked?.bindingId ?? asked?.instanceId ?? null;
    try {
      await audit.append({
        actor,
        originatingIdentity: null,
        requestId,
        action: 'request.denied',
        resource: resource === null ? null : short(resource),
        outcome: 'denied',
        detail,
      });
    } catch (error) {
      logger.warn({ error, actor, status, count }, 'a denial could not be written to the audit log');
    }
  };
  const countOnly = (key: string, denial: Denial): void => {
    const counted = repeats.get(key) ?? { denial, count: 0 };
    counted.count += 1;
    repeats.set(key, counted);
  };
  return {
    record(denial) {
      const { actor, address, status, operationId, asked } = denial;
      const kind = JSON.stringify([actor, address, status, operationId]);
      const key = asked === null ? kind : `${kind} ${JSON.stringify(detailOf(asked))}`;
      const ofKind = kinds.get(kind) ?? 0;
      if (repeats.has(key)) {
        countOnly(key, denial);
      } else if (ofKind >= askedPerKind) {
        countOnly(`${kind} more`, { ...denial, asked: null });
      } else if (repeats.size < distinctPerWindow) {
        kinds.set(kind, ofKind + 1);
        repeats.set(key, { denial, count: 0 });
        void write(denial, 1);
      } else {
        countOnly('', { ...denial, actor: 'others', operationId: null, asked: null });
      }
    },
    task: {
      name: 'audit-denials',
      everyMs: windowMs,
      async activate() {
        const counted = [...repeats.values()].filter(({ count }) => count > 0);
        repeats = new Map();
        kinds = new Map();
        for (const { denial, count } of counted) await write(denial, count);
        return false;
      },
    },
  };
}
