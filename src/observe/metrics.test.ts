import { describe, expect, test } from 'vitest';
import { brokerMetrics } from './metrics.ts';

describe('metrics', () => {
  test('show what the broker did, each name with our prefix', async () => {
    const metrics = brokerMetrics();
    metrics.request({ contract: 'osb', operation: 'catalog.get', status: 200 }, 0.002);
    metrics.operationStarted('bind', 0.001);
    metrics.operationEnded('bind', 'succeeded', 0.4);
    metrics.meshWritten('gitops', 'apply', 'succeeded', 0.02);
    metrics.meshWritten('gitops', 'publish', 'failed', 0.3);
    metrics.usageIngested({ accepted: 8, duplicate: 2, conflict: 0, rejected: 1 });
    metrics.ran('clean-up-instances', 'failed', 0.1);
    metrics.cleaned('instances', 3);
    metrics.readFrom({ unfinishedOperations: () => Promise.resolve([{ kind: 'bind', state: 'running', count: 2, oldestSeconds: 7 }]) });
    const { text, contentType } = await metrics.expose();
    for (const line of [
      'meshbroker_http_requests_total{contract="osb",operation="catalog.get",status="200"} 1',
      'meshbroker_operations_total{kind="bind",state="succeeded"} 1',
      'meshbroker_operations_unfinished{kind="bind",state="running"} 2',
      'meshbroker_operations_oldest_unfinished_seconds 7',
      'meshbroker_operation_queue_seconds_count{kind="bind"} 1',
      'meshbroker_mesh_apply_seconds_count{driver="gitops",step="apply",outcome="succeeded"} 1',
      'meshbroker_mesh_apply_seconds_count{driver="gitops",step="publish",outcome="failed"} 1',
      'meshbroker_usage_events_total{outcome="duplicate"} 2',
      'meshbroker_background_task_failures{task="clean-up-instances"} 1',
      'meshbroker_cleaned_rows_total{what="instances"} 3',
    ])
      expect(text).toContain(line);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(names.filter((name) => !name?.startsWith('meshbroker_'))).toEqual([]);
    expect(contentType).toContain('text/plain');
  });
  test('are answered also while the database is away', async () => {
    const metrics = brokerMetrics();
    metrics.readFrom({ unfinishedOperations: () => Promise.reject(new Error('away')) });
    expect((await metrics.expose()).text).toContain('meshbroker_operations_oldest_unfinished_seconds 0');
  });
});
