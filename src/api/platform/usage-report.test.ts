import { expect, test } from 'vitest';
import type { Report, ReportQuestion } from '../../usage/usage-port.ts';
import { toCsv } from './usage-report.ts';

const question: ReportQuestion = {
  platformId: null,
  bindingRef: null,
  groupBy: ['consumer', 'organization', 'meter'],
  window: 'day',
  from: new Date(0),
  to: new Date(1),
  timeZone: 'UTC',
};
const line = (consumer: string, organization: string): Report['lines'][number] => ({
  windowStart: '2026-11-01',
  keys: { consumer, organization },
  meter: 'requests',
  unit: '1',
  total: '12',
  attributed: true,
});

test('a report in CSV quotes what needs it and runs no formula', () => {
  const report = { asOf: '2026-11-02T00:00:00Z', lines: [line('web/frontend', 'a, "b"'), line('=cmd()', '-1')], unattributed: [] };
  expect(toCsv(question, report)).toBe(
    'window_start,consumer,organization,meter,unit,total,attributed\r\n' +
      '2026-11-01,web/frontend,"a, ""b""",requests,1,12,true\r\n' +
      "2026-11-01,'=cmd(),-1,requests,1,12,true\r\n",
  );
});
