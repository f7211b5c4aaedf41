import type { MeshDriver } from '../mesh/mesh-driver.ts';
import type { BrokerMetrics } from '../observe/metrics.ts';
import type { UsageIngestion } from '../usage/usage-port.ts';

/** The driver, with the time of each write in the metrics. */
export const measured = (driver: MeshDriver, metrics: Pick<BrokerMetrics, 'meshApplied'>): MeshDriver => ({
  name: driver.name,
  async apply(write, isCurrent) {
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1_000;
    try {
      const outcome = await driver.apply(write, isCurrent);
      metrics.meshApplied(driver.name, 'succeeded', seconds());
      return outcome;
    } catch (error) {
      metrics.meshApplied(driver.name, 'failed', seconds());
      throw error;
    }
  },
  read: (ids) => driver.read(ids),
  publish: (publication) => driver.publish(publication),
  check: () => driver.check(),
  close: () => driver.close(),
});

/** The ingestion, with its receipts in the metrics. */
export const counted = (ingestion: UsageIngestion, metrics: Pick<BrokerMetrics, 'usageIngested'>): UsageIngestion => ({
  async ingest(collector, events) {
    const receipt = await ingestion.ingest(collector, events);
    metrics.usageIngested(receipt);
    return receipt;
  },
});
