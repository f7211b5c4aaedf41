import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const parameter = (name: string): string =>
  `          ${name}: { type: string, maxLength: 64, pattern: '^[a-z0-9-]*$', description: What ${name} stands for in this plan. }\n`;
const plan = (name: string, price: number): string => `  - name: ${name}
    description: Plan ${name} of a service that was made up for a measurement.
    free: false
    costs: [{ amount: { usd: ${price} }, unit: '1,000 requests' }]
    consumers: [sidecar, vm, off-mesh]
    access: [{ methods: [GET, POST], paths: ['/v1/{**}'] }]
    routes:
      - { name: header, match: { headers: { x-canary: { exact: 'true' } } }, split: [{ subset: v2, weight: 100 }], timeout: 2s }
      - { name: rest, split: [{ subset: v1, weight: 90 }, { subset: v2, weight: 10 }], timeout: 3s, retries: { attempts: 2, per_try_timeout: 1s } }
    limits: { requests_per_second: 100 }
    maintenance_info: { version: 1.0.0 }
    parameters:
      provision:
        type: object
        properties:
${['cost_center', 'project', 'stage', 'owner', 'region'].map(parameter).join('')}      update:
        type: object
        properties:
${['cost_center', 'project', 'stage'].map(parameter).join('')}`;
/** An offering file with five plans (or the first few of them), each with parameter schemas. */
export const offering = (index: number, price: number, plans = 5): string => `name: service-${index}
description: Service ${index}, made up for a measurement.
tags: [bench, number-${index}]
service:
  namespace: bench
  hosts: [service-${index}.bench.svc.cluster.local]
  ports: [{ name: http, number: 8080, protocol: HTTP }]
  workload_selector: { app: service-${index} }
  service_account: service-${index}
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
plans:
${['bronze', 'silver', 'gold', 'platinum', 'diamond']
  .slice(0, plans)
  .map((name) => plan(name, price))
  .join('')}`;

/** A catalogue directory of so many offerings. */
export async function writeCatalog(directory: string, offerings: number, plans: number): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (let index = 0; index < offerings; index += 1) await writeFile(join(directory, `service-${index}.yaml`), offering(index, 1, plans));
}
