import { describe, expect, test } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import type { AuditEntry } from './audit.ts';
import { denialLog } from './denials.ts';

const denial = { actor: 'claimed:cf', address: '192.0.2.1', operationId: 'catalog.get', status: 401, requestId: 'r-1' };
const running = new AbortController().signal;

describe('denials', () => {
  test('are written at once, their repeats as one row with a count', async () => {
    const rows: AuditEntry[] = [];
    const log = denialLog({ append: (entry) => Promise.resolve(void rows.push(entry)) }, silentLogger);
    for (let times = 0; times < 100; times += 1) log.record(denial);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      actor: 'claimed:cf',
      action: 'request.denied',
      outcome: 'denied',
      detail: { address: '192.0.2.1', status: 401 },
    });
    await log.task.activate(running);
    expect(rows).toHaveLength(2);
    expect(rows[1]?.detail).toMatchObject({ count: 99 });
    await log.task.activate(running);
    expect(rows).toHaveLength(2);
  });
  test('of a storm with ever new names stay bounded', async () => {
    const rows: AuditEntry[] = [];
    const log = denialLog({ append: (entry) => Promise.resolve(void rows.push(entry)) }, silentLogger);
    for (let times = 0; times < 10_000; times += 1) log.record({ ...denial, actor: `claimed:n${times}` });
    await log.task.activate(running);
    expect(rows).toHaveLength(65);
    expect(rows.at(-1)).toMatchObject({ actor: 'others', detail: { count: 9_936 } });
  });
  test('that cannot be written do not disturb anybody', async () => {
    const log = denialLog({ append: () => Promise.reject(new Error('database away')) }, silentLogger);
    log.record(denial);
    log.record(denial);
    await log.task.activate(running);
  });
});
