import { describe, expect, test } from 'vitest';
import { silentLogger } from '../kernel/logger.ts';
import type { AuditEntry } from './audit.ts';
import { denialLog } from './denials.ts';

const denial = { actor: 'claimed:cf', address: '192.0.2.1', operationId: 'catalog.get', status: 401, requestId: 'r-1', asked: null };
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
  test('say what was asked for: each is a row of its own, and many names of one sender leave room for others', async () => {
    const rows: AuditEntry[] = [];
    const log = denialLog({ append: (entry) => Promise.resolve(void rows.push(entry)) }, silentLogger);
    const bind = (namespace: string, bindingId = 'b-1') =>
      log.record({
        ...denial,
        actor: 'platform:cf',
        status: 403,
        operationId: 'serviceBinding.binding',
        asked: { instanceId: 'i-1', bindingId, namespace, reason: `not for ${namespace}` },
      });
    for (const namespace of ['bookinfo', 'batch', 'batch', 'istio-system']) bind(namespace);
    await log.task.activate(running);
    expect(rows.map(({ resource, detail }) => [resource, detail['namespace'], detail['count']])).toEqual([
      ['b-1', 'bookinfo', undefined],
      ['b-1', 'batch', undefined],
      ['b-1', 'istio-system', undefined],
      ['b-1', 'batch', undefined],
    ]);
    expect(rows[0]?.detail).toMatchObject({ instance_id: 'i-1', binding_id: 'b-1', reason: 'not for bookinfo', status: 403 });
    rows.length = 0;
    for (let n = 0; n < 5_000; n += 1) bind('batch', `b-${n}-${'x'.repeat(900)}`);
    log.record(denial);
    await log.task.activate(running);
    expect(rows).toHaveLength(18);
    expect(rows.filter(({ actor }) => actor === 'claimed:cf')).toHaveLength(1);
    expect(rows.at(-1)).toMatchObject({ actor: 'platform:cf', resource: null, detail: { count: 5_000 - 16 } });
    expect(Math.max(...rows.map((row) => JSON.stringify(row).length))).toBeLessThan(1_500);
  });
  test('that cannot be written do not disturb anybody', async () => {
    const log = denialLog({ append: () => Promise.reject(new Error('database away')) }, silentLogger);
    log.record(denial);
    log.record(denial);
    await log.task.activate(running);
  });
});
