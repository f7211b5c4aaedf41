import { describe, expect, test } from 'vitest';
import type { ReportQuery } from './report-question.ts';
import { toQuestion } from './report-question.ts';

const clock = { now: () => new Date('2026-11-23T10:20:30Z') };
const ask = (query: ReportQuery) => toQuestion(query, clock, { platformId: null, bindingRef: null, groupBy: ['meter'] });
const window = (query: ReportQuery): string => {
  const { from, to } = ask(query);
  return `${from.toISOString()} ${to.toISOString()}`;
};

describe('the window of a usage report', () => {
  test('is this month until the end of this hour unless told otherwise', () => {
    expect(window({})).toBe('2026-11-01T00:00:00.000Z 2026-11-23T11:00:00.000Z');
    expect(ask({})).toMatchObject({ window: 'day', timeZone: 'UTC' });
  });
  test('takes days of the time zone', () => {
    expect(window({ from: '2026-11-01', to: '2026-12-01', time_zone: 'Asia/Kolkata' })).toBe(
      '2026-10-31T18:30:00.000Z 2026-11-30T18:30:00.000Z',
    );
    expect(window({ from: '2026-03-29', to: '2026-03-30', time_zone: 'Europe/Berlin' })).toBe(
      '2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z',
    );
    expect(window({ from: '2026-10-25', to: '2026-10-26', time_zone: 'Europe/Berlin' })).toBe(
      '2026-10-24T22:00:00.000Z 2026-10-25T23:00:00.000Z',
    );
  });
  test('begins with the month of the time zone', () => {
    const question = toQuestion(
      { time_zone: 'Pacific/Auckland' },
      { now: () => new Date('2026-10-31T12:00:00Z') },
      { platformId: null, bindingRef: null, groupBy: [] },
    );
    expect(question.from.toISOString()).toBe('2026-10-31T11:00:00.000Z');
  });
  test('takes moments with their offset', () => {
    expect(window({ from: '2026-11-01T00:00:00+05:30', to: '2026-11-01T00:00:00Z' })).toBe(
      '2026-10-31T18:30:00.000Z 2026-11-01T00:00:00.000Z',
    );
  });
  test.each<[ReportQuery, RegExp]>([
    [{ from: 'yesterday' }, /^from \(query\) must be a day like/],
    [{ from: '2026-13-01' }, /^from/],
    [{ to: '2026-11-01T00:00:00' }, /^to \(query\)/],
    [{ from: '2026-11-02', to: '2026-11-02' }, /^to \(query\) must be later than from$/],
    [{ time_zone: 'Mars/Olympus' }, /^time_zone \(query\) must be an IANA name/],
    [{ time_zone: '+05:30' }, /^time_zone/],
  ])('refuses %o', (query, message) => {
    expect(() => ask(query)).toThrow(message);
  });
});
