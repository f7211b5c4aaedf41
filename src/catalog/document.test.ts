import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDocument, splitDocuments } from './document.ts';
import { locator } from './locate.ts';

const settings = { training: false, issuingLifeSeconds: 90 * 86_400 };
const good = `name: orders
description: Orders.
service:
  namespace: shop
  hosts: [orders.shop.svc.cluster.local]
  ports: [{ name: http, number: 8080, protocol: HTTP }]
  workload_selector: { app: orders }
  service_account: orders
plans: [{ name: standard, description: The plan., routes: [{ name: a, match: { headers: { x-a: { exact: b } } }, split: [{ weight: 100 }] }] }]
`;

describe('a file', () => {
  test('is cut at its document markers, and every document knows its first line', () => {
    expect(splitDocuments('a: 1\n---\nb: |\n  ---\n--- # c\nc: 1\n')).toEqual([
      { text: 'a: 1\n', linesBefore: 0 },
      { text: '---\nb: |\n  ---\n', linesBefore: 1 },
      { text: '--- # c\nc: 1\n', linesBefore: 4 },
    ]);
    expect(splitDocuments('--- \na: 1')).toEqual([{ text: '--- \na: 1', linesBefore: 0 }]);
  });
  test.each(['', '# nothing\n', '---\n# nothing\n...\n', '  \n\n'])('%j holds nothing', (text) => {
    expect(readDocument(text, settings)).toEqual({ kind: 'empty' });
  });
  test('of forty thousand blank lines is judged at once', () => {
    const started = performance.now();
    expect(readDocument(`${'---\n   #\n'.repeat(20_000)}x`, settings).kind).toBe('unreadable');
    expect(performance.now() - started).toBeLessThan(1_000);
  });
  test('may say anything: it is judged, and never thrown at', () => {
    expect(readDocument(good, settings).kind).toBe('offering');
    const words = [
      'null',
      '{}',
      '[]',
      '-1',
      '1e999',
      '.nan',
      '"\\0"',
      '&a',
      '*a',
      '<<',
      '!!js/function',
      '? :',
      '- -',
      '__proto__: 1',
      '💥',
      '\t',
      '...',
      '"',
    ];
    const cut = fc.record({ at: fc.nat(good.length), length: fc.nat(40), put: fc.oneof(fc.constantFrom(...words), fc.string()) });
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 3 }), (cuts) => {
        const text = cuts.reduce((before, { at, length, put }) => before.slice(0, at) + put + before.slice(at + length), good);
        const read = readDocument(text, settings);
        if (read.kind === 'broken')
          for (const { path, atKey } of read.findings) expect(locator(text)(path, atKey === true).line).toBeGreaterThan(0);
      }),
      { numRuns: 1_500, seed: 20261124 },
    );
  });
});

describe('places', () => {
  const place = locator('a:\n  - b: &x { c: 1 }\n  - *x\nd:\n');
  test.each([
    [[], false, 1, 1],
    [['a', 0, 'b', 'c'], false, 2, 16],
    [['a', 0, 'b'], true, 2, 5],
    [['a', 1, 'c'], false, 2, 16],
    [['d'], false, 4, 3],
    [['d'], true, 4, 1],
    [['a', 0, 'missing', 'deep'], false, 2, 5],
    [['nothing'], true, 1, 1],
  ])('of %j are found', (path, atKey, line, column) => {
    expect(place(path, atKey)).toEqual({ line, column });
  });
});
