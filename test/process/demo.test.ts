import { expect, test } from 'vitest';
import { emptyFolder, meshbroker } from './command-line.ts';

test('the demo tells the whole story and leaves nothing behind', { timeout: 60_000 }, async () => {
  const folder = await emptyFolder();
  const { code, said } = await meshbroker(folder.path, ['demo']).finally(folder.remove);
  expect(code, said).toBe(0);
  const headings = said.split('\n').filter((line) => line.startsWith('──'));
  expect(headings.map((line) => line.slice(3, line.indexOf(':')))).toEqual([
    'The shelf',
    'Order reviews on its canary plan',
    'Bind productpage, in the mesh',
    'Bind a program outside the mesh',
    'Who may now call what',
    'Replay recorded access logs of reviews v1, v2 and v3',
    'What each consumer used',
    'Unbind the program outside',
  ]);
  expect(new Set(headings.map(({ length }) => length))).toEqual(new Set([100]));
  for (const kind of ['PeerAuthentication', 'AuthorizationPolicy', 'EnvoyFilter', 'DestinationRule', 'VirtualService'])
    expect(said).toContain(`\nkind: ${kind}\n`);
  expect(said).toMatch(/^bookinfo\/bookinfo-productpage +reviews +canary +requests +240$/m);
  expect(said).toMatch(/^off-mesh\/mb-\S+ +reviews +canary +requests +76$/m);
  expect(said).toContain('3 files changed');
  expect(said).toMatch(/Done in \d+\.\d s\. Nothing is left/);
});
