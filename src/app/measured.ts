import type { MeshDriver } from '../mesh/mesh-driver.ts';
import type { BrokerMetrics } from '../observe/metrics.ts';
import type { UsageIngestion } from '../usage/usage-port.ts';

/** The driver, with the time of each write and each publication in the metrics. */
export function measured(driver: MeshDriver, metrics: Pick<BrokerMetrics, 'meshWritten'>): MeshDriver {
  const timed = async <T>(step: 'apply' | 'publish', work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const end = (outcome: 'succeeded' | 'failed'): void =>
      metrics.meshWritten(driver.name, step, outcome, (performance.now() - start) / 1_000);
    try {
      const result = await work();
      end('succeeded');
      return result;
    } catch (error) {
      end('failed');
      throw error;
    }
  };
  return {
    name: driver.name,
    apply: (write, isCurrent) => timed('apply', () => driver.apply(write, isCurrent)),
    read: (ids) => driver.read(ids),
    publish: (publication) => timed('publish', () => driver.publish(publication)),
    check: () => driver.check(),
    close: () => driver.close(),
  };
}

/** The ingestion, with its receipts in the metrics. */
export const counted = (ingestion: UsageIngestion, metrics: Pick<BrokerMetrics, 'usageIngested'>): UsageIngestion => ({
  async ingest(collector, events, refused) {
    const receipt = await ingestion.ingest(collector, events, refused);
    metrics.usageIngested(receipt);
    return receipt;
  },
});
