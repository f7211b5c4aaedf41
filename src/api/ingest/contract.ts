import type { UsageIngestion } from '../../usage/usage-port.ts';
import type { Contract, Handlers, RequestContext } from '../contract.ts';
import type { operations } from '../generated/ingest.ts';
import { toProblem } from '../problem.ts';
import { ingestEvents } from './ingest-events.ts';

export const ingestContract = (ingestion: UsageIngestion): Contract<operations, RequestContext> => ({
  name: 'ingest',
  handlers: { 'usage.ingest': ingestEvents(ingestion) } satisfies Handlers<operations>,
  enter: ({ requestId, principal }) => ({ requestId, principal }),
  refuse: toProblem,
});
