import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { BrokerError } from '../../kernel/errors.ts';
import type { Receipt } from '../usage-port.ts';
import { parseLine, type AccessLogLine } from './access-log-line.ts';
import { toEvent, whyNotCounted, type CloudEvent, type RelayingGateway } from './log-event.ts';

export type { CloudEvent };
export interface ImportQuestion {
  readonly files: readonly string[];
  /** Whose own proxy wrote these logs, where they do not name the caller: `spiffe://…`; null: the logs say. */
  readonly principal: string | null;
  readonly gateway?: RelayingGateway;
  /** May be repeated: an event is counted once. */
  readonly post: (
    batch: readonly CloudEvent[],
  ) => Promise<Pick<Receipt, 'accepted' | 'duplicate' | 'conflict' | 'rejected'> & Partial<Receipt>>;
}
export interface FileImport {
  readonly file: string;
  /** Access-log lines; other lines are passed over. */
  readonly lines: number;
  /** Lines that are counted here. */
  readonly requests: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly rejected: number;
  /** Why lines were not counted here, or not taken by the broker, and how many. Duplicates are no news. */
  readonly reasons: ReadonlyMap<string, number>;
}
const batchSize = 2_000;
const spiffeId = /^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/;

/**
 * Reads Envoy access logs and posts what they count; may be repeated. Every file is looked through before the first event is posted, so
 * that a refusal leaves nothing half imported.
 */
export async function importAccessLogs(question: ImportQuestion): Promise<readonly FileImport[]> {
  const { files, principal } = question;
  if (principal !== null && !spiffeId.test(principal))
    throw new BrokerError(
      'bad-request',
      `--principal: ${principal} is no SPIFFE ID: give spiffe://<trust domain>/ns/<namespace>/sa/<service account>`,
    );
  for (const file of files) await refuseUnlessClear(file, principal);
  const imported: FileImport[] = [];
  for (const file of files) imported.push(await importFile(file, question));
  return imported;
}

async function refuseUnlessClear(file: string, principal: string | null): Promise<void> {
  const counts = { lines: 0, inbound: 0, named: 0, naming: 0 };
  for await (const { direction, principal: caller, namesCallers } of linesOf(file)) {
    counts.lines += 1;
    if (direction === 'inbound') counts.inbound += 1;
    if (caller !== '') counts.named += 1;
    if (namesCallers) counts.naming += 1;
  }
  const reason = principal === null ? whyNotNamed(counts) : whyNotOf(principal, counts);
  if (reason !== undefined) throw new BrokerError('bad-request', `${file}: ${reason}`);
}
interface LineCounts {
  readonly lines: number;
  readonly inbound: number;
  readonly named: number;
  readonly naming: number;
}
const noLog = "holds no line of an Envoy access log: give one in Istio's text or JSON format, or in the format of Meshbroker's telemetry";
function whyNotNamed({ lines, naming }: LineCounts): string | undefined {
  if (lines === 0) return noLog;
  if (naming === lines) return undefined;
  const fix = "give the log of one caller's own proxy with --principal, or log with the format of Meshbroker's telemetry objects";
  return `${lines - naming} of its ${lines} lines are in a format that does not name the caller: ${fix}`;
}
function whyNotOf(principal: string, { lines, inbound, named }: LineCounts): string | undefined {
  if (lines === 0) return noLog;
  if (inbound > 0)
    return `holds ${inbound} inbound lines, which many callers may have caused, not just ${principal}: give the log of that caller's own proxy, or leave --principal out where the log names its callers`;
  return named > 0 ? `names the caller in ${named} lines: leave --principal out` : undefined;
}

async function importFile(file: string, { principal, gateway, post }: ImportQuestion): Promise<FileImport> {
  const counts = { lines: 0, requests: 0, accepted: 0, duplicate: 0, conflict: 0, rejected: 0 };
  const reasons = new Map<string, number>();
  const because = (reason: string): void => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const send = async (batch: readonly CloudEvent[]): Promise<void> => {
    if (batch.length === 0) return;
    const receipt = await post(batch);
    for (const name of ['accepted', 'duplicate', 'conflict', 'rejected'] as const) counts[name] += receipt[name];
    for (const { result, reason } of receipt.events ?? []) if (result !== 'duplicate') because(`${result}: ${reason}`);
  };
  let batch: CloudEvent[] = [];
  for await (const line of linesOf(file)) {
    counts.lines += 1;
    const reason = whyNotCounted(line, principal, gateway);
    if (reason !== undefined) {
      because(reason);
      continue;
    }
    counts.requests += 1;
    if (batch.push(toEvent(line, principal)) < batchSize) continue;
    await send(batch);
    batch = [];
  }
  await send(batch);
  return { file: basename(file), ...counts, reasons };
}

async function* linesOf(file: string): AsyncGenerator<AccessLogLine> {
  const stream = createReadStream(file, 'utf8');
  try {
    for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
      const line = parseLine(text);
      if (line !== undefined) yield line;
    }
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw new BrokerError('bad-request', `${file}: cannot be read (${error instanceof Error ? error.message : String(error)})`, {}, error);
  } finally {
    stream.destroy();
  }
}
