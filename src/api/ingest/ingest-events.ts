import { BrokerError } from '../../kernel/errors.ts';
import type { Receipt, UsageIngestion } from '../../usage/usage-port.ts';
import { mediaType } from '../body.ts';
import type { Reply, Request } from '../contract.ts';
import { Refusal } from '../contract.ts';
import type { operations } from '../generated/ingest.ts';
import { actorOf } from '../platform/caller.ts';
import { toProblem, unsupportedMediaType } from '../problem.ts';
import type { DecodedEvents } from './cloud-events.ts';
import { decodeBatch, decodeBinary, decodeStructured } from './cloud-events.ts';

type Op = operations['usage.ingest'];

/** CloudEvents in all three content modes. What is no event at all is found here, the rest is judged by the ingestion, which keeps both. */
export const ingestEvents =
  (ingestion: UsageIngestion) =>
  async (request: Request<Op>): Promise<Reply<Op>> => {
    const { events, refused } = decode(request);
    const isEmpty = events.length + refused.length === 0;
    const receipt = isEmpty ? nothing : await ingestion.ingest(actorOf(request.context), events, refused);
    return {
      status: 200,
      body: {
        accepted: receipt.accepted,
        duplicate: receipt.duplicate,
        conflict: receipt.conflict,
        rejected: receipt.rejected,
        events: receipt.events.map(({ index, id, result, reason }) => ({ index, id, result, reason })).sort((a, b) => a.index - b.index),
      },
    };
  };
const nothing: Receipt = { accepted: 0, duplicate: 0, conflict: 0, rejected: 0, events: [] };

function decode(request: Request<Op>): DecodedEvents {
  const type = mediaType(request.header('content-type'));
  if (type === 'application/cloudevents+json') return decodeStructured(request.bytes);
  if (type === 'application/cloudevents-batch+json') return decodeBatch(request.bytes);
  const isJson = type === '' || type === 'application/json' || type.endsWith('+json');
  if (request.header('ce-specversion') !== undefined && isJson) return decodeBinary(request.header, request.bytes);
  const help =
    'Content-Type: send application/cloudevents+json, application/cloudevents-batch+json, or application/json with the ce- headers';
  throw new Refusal(unsupportedMediaType(toProblem(new BrokerError('bad-request', help, { field: 'Content-Type' }))));
}
