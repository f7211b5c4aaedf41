import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lintCatalog } from '../../src/catalog/lint-catalog.ts';
import { formatProblem } from '../../src/catalog/problem.ts';
import type { RuleSettings } from '../../src/catalog/rules/offering-rules.ts';

/** An offering without plans, ended by its service; `subsets` and `planHead` may follow. */
export const serviceHead = `id: 5b4a0c52-7a6e-4f8f-8a51-0d3f6a4c1e01
name: orders
description: Orders of the shop.
service:
  namespace: shop
  hosts: [orders.shop.svc.cluster.local]
  ports: [{ name: http, number: 8080, protocol: HTTP }]
  workload_selector: { app: orders }
  service_account: orders
`;
export const subsets = `  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
`;
export const planHead = `plans:
  - id: 5b4a0c52-7a6e-4f8f-8a51-0d3f6a4c1e02
    name: standard
    description: The plan.
`;

/** A catalogue directory of its own, to be written and linted. */
export async function lintDirectory() {
  const directory = await mkdtemp(join(tmpdir(), 'meshbroker-lint-'));
  return {
    directory,
    async write(name: string, text: string): Promise<void> {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    },
    lint: async (options: Partial<RuleSettings> = {}): Promise<string[]> => (await lintCatalog(directory, options)).map(formatProblem),
    remove: (): Promise<void> => rm(directory, { recursive: true, force: true }),
  };
}
export type LintDirectory = Awaited<ReturnType<typeof lintDirectory>>;
