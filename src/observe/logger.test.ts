import { describe, expect, test } from 'vitest';
import { createLogger } from './logger.ts';

const logged = (fields: Record<string, unknown>): { text: string; line: Record<string, unknown> } => {
  let text = '';
  createLogger('info', { write: (line: string) => (text += line) }).info(fields, 'request');
  return { text, line: JSON.parse(text) as Record<string, unknown> };
};
describe('a log line', () => {
  test('is one JSON object with level, time and message', () => {
    const { text, line } = logged({ requestId: 'r-1', status: 200 });
    expect(text.trim().split('\n')).toHaveLength(1);
    expect(line).toMatchObject({
      level: 'info',
      msg: 'request',
      requestId: 'r-1',
      status: 200,
      time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
  });
  test.each([
    [{ password: 'hunter2' }],
    [{ adminToken: 'hunter2' }],
    [{ headers: { authorization: 'Basic hunter2' } }],
    [{ note: `sent mbp_hunter2${'x'.repeat(30)}` }],
    [{ note: 'Authorization was Bearer hunter2hunter2' }],
    [{ url: 'postgres://meshbroker:hunter2@db/meshbroker' }],
    [{ note: '-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----' }],
    [{ list: [{ secret: 'hunter2' }] }],
    [{ error: new Error('refused postgres://u:hunter2@db/d', { cause: Object.assign(new Error('x'), { detail: 'Key (a)=(hunter2)' }) }) }],
  ])('never holds a secret: %o', (fields) => expect(logged(fields).text).not.toContain('hunter2'));
  test('tells the whole chain of an error with the codes of the database', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      constraint: 'platform_name_is_unique',
      detail: 'Key (name)=(x)',
    });
    const { line } = logged({ error: new Error('cannot save', { cause }) });
    expect(line['error']).toMatchObject({
      message: 'cannot save',
      cause: { message: 'duplicate key', code: '23505', constraint: 'platform_name_is_unique' },
    });
    expect(JSON.stringify(line)).not.toContain('(x)');
  });
});
