/**
 * `npm run bench [-- NAME… --json]`: every figure against its ceiling in the same run; medians of alternating rounds.
 */
import { benchCatalogHttp } from './catalog-http.ts';
import { benchCatalogLoad } from './catalog-load.ts';
import { benchCertificates } from './certificates.ts';
import type { Figure } from './figure.ts';
import { benchOperations } from './operations.ts';
import { benchStart } from './start.ts';
import { benchUsage } from './usage.ts';
import { benchWrites } from './writes.ts';

const benches: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  start: benchStart,
  catalog: benchCatalogHttp,
  'catalog-load': benchCatalogLoad,
  writes: benchWrites,
  operations: benchOperations,
  certificates: benchCertificates,
  usage: benchUsage,
};
const words = process.argv.slice(2);
const json = words.includes('--json');
const wanted = words.filter((word) => !word.startsWith('--'));
const number = (value: number): string =>
  Number.isNaN(value) || value === 0 ? '-' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

if (!json) console.log(`${'figure'.padEnd(26)}${'value'.padStart(10)}${'ceiling'.padStart(10)}${'ratio'.padStart(8)}  unit, rounds`);
for (const name of wanted.length === 0 ? Object.keys(benches) : wanted) {
  const bench = benches[name];
  if (bench === undefined) throw new Error(`no benchmark "${name}": take ${Object.keys(benches).join(', ')}`);
  for (const figure of await bench()) {
    if (json) console.log(JSON.stringify(figure));
    else
      console.log(
        `${figure.name.padEnd(26)}${number(figure.value).padStart(10)}${number(figure.ceiling).padStart(10)}${number(figure.ratio).padStart(8)}  ${figure.unit}, ${figure.rounds}`,
      );
  }
}
