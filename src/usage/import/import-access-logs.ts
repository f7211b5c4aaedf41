import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { BrokerError } from '../../kernel/errors.ts';
import { requestType, withoutPort } from '../usage-event.ts';
import type { Receipt } from '../usage-port.ts';
import { parseLine, type AccessLogLine } from './access-log-line.ts';

/** As POST /v1/usage/events takes it (CloudEvents 1.0, JSON). */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly data: Readonly<Record<string, string | number>>;
}
export interface ImportQuestion {
  readonly files: readonly string[];
  /** Whose outbound lines these are, where the log does not name the caller: `spiffe://…`; null: the log says. */
  readonly principal: string | null;
  readonly post: (batch: readonly CloudEvent[]) => Promise<Pick<Receipt, 'accepted' | 'duplicate' | 'conflict' | 'rejected'>>;
}
export interface FileImport {
  readonly file: string;
  readonly lines: number;
  /** Lines that count here: inbound with a caller, or outbound of the named one. */
  readonly requests: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly rejected: number;
}
const batchSize = 1_000;
const spiffe = /^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/;

/**
 * Reads Envoy access logs and posts what counts; may be repeated, what was posted before is a duplicate. Every file is looked through
 * before the first one is posted, so that a refusal leaves nothing half imported.
 */
export async function importAccessLogs({ files, principal, post }: ImportQuestion): Promise<readonly FileImport[]> {
  if (principal !== null && !spiffe.test(principal))
    throw new BrokerError(
      'bad-request',
      `--principal: "${principal}" is not a SPIFFE ID; give spiffe://<trust domain>/ns/<namespace>/sa/<service account>`,
    );
  for (const file of files) await checkFile(file, principal);
  const imported: FileImport[] = [];
  for (const file of files) imported.push(await importFile(file, principal, post));
  return imported;
}

async function checkFile(file: string, principal: string | null): Promise<void> {
  let [lines, inbound, named] = [0, 0, 0];
  for await (const line of linesOf(file)) {
    lines += 1;
    if (line.direction === 'inbound') inbound += 1;
    if (line.principal !== '') named += 1;
  }
  if (lines === 0) throw new BrokerError('bad-request', `${file}: no line of an Envoy access log; give Istio's text or JSON format`);
  if (principal !== null && inbound > 0) {
    throw new BrokerError(
      'bad-request',
      `${file}: holds ${inbound} inbound lines, which are of many callers, so they cannot all be ${principal}; give the log of that caller's own proxy`,
    );
  }
  if (principal === null && named === 0) {
    throw new BrokerError(
      'bad-request',
      `${file}: its format does not name the caller; give the log of one caller's own proxy with --principal, or log with Meshbroker's telemetry objects`,
    );
  }
}

async function importFile(file: string, principal: string | null, post: ImportQuestion['post']): Promise<FileImport> {
  const counts = { lines: 0, requests: 0, accepted: 0, duplicate: 0, conflict: 0, rejected: 0 };
  let batch: CloudEvent[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const receipt = await post(batch);
    counts.accepted += receipt.accepted;
    counts.duplicate += receipt.duplicate;
    counts.conflict += receipt.conflict;
    counts.rejected += receipt.rejected;
    batch = [];
  };
  for await (const line of linesOf(file)) {
    counts.lines += 1;
    const event = toEvent(line, principal);
    if (event === undefined) continue;
    counts.requests += 1;
    batch.push(event);
    if (batch.length === batchSize) await flush();
  }
  await flush();
  return { file: basename(file), ...counts };
}

/** The request at the called service, once; with a principal given, the request as its caller's own proxy sent it. */
function toEvent(line: AccessLogLine, principal: string | null): CloudEvent | undefined {
  if (principal === null ? line.direction !== 'inbound' || line.principal === '' : line.direction === 'inbound') return undefined;
  const host = withoutPort(line.host);
  const caller = principal ?? line.principal;
  const id = createHash('sha256')
    .update([host, caller, line.streamId || line.requestId, line.time].join('\0'))
    .digest('hex')
    .slice(0, 40);
  const data = {
    principal: caller,
    host,
    policy: line.policy,
    code: line.code,
    request_bytes: line.requestBytes,
    response_bytes: line.responseBytes,
  };
  return {
    specversion: '1.0',
    id,
    source: `access-log/${principal === null ? 'inbound' : 'outbound'}/${host}`,
    type: requestType,
    time: line.time,
    data,
  };
}

async function* linesOf(file: string): AsyncGenerator<AccessLogLine> {
  const stream = createReadStream(file, 'utf8');
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      const line = parseLine(text);
      if (line !== undefined) yield line;
    }
  } catch (error) {
    throw new BrokerError('bad-request', `${file}: cannot be read (${error instanceof Error ? error.message : String(error)})`, {}, error);
  }
}
