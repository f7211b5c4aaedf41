import type { Json } from '../kernel/json.ts';

/** One CloudEvent as decoded by the door; the rest of its attributes are kept out. */
export interface IncomingEvent {
  readonly index: number;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject: string | null;
  readonly data: Json;
  /** All of it as it came: kept where it is rejected. */
  readonly raw?: Json;
}
/** What the door found to be no CloudEvent. */
export interface RefusedEvent {
  readonly index: number;
  readonly id: string;
  readonly reason: string;
  readonly raw: Json;
}
export interface Receipt {
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly rejected: number;
  /** One entry for each event that was not simply accepted. */
  readonly events: readonly {
    readonly index: number;
    readonly id: string;
    readonly result: 'duplicate' | 'conflict' | 'rejected';
    readonly reason: string;
  }[];
}
export interface UsageIngestion {
  /** Exactly once by (source, id) within the event's UTC day; may always be repeated. What is rejected, `refused` too, is kept apart. */
  ingest(collector: string, events: readonly IncomingEvent[], refused?: readonly RefusedEvent[]): Promise<Receipt>;
}
export type ReportDimension = 'consumer' | 'organization' | 'offering' | 'plan' | 'instance' | 'binding' | 'meter';
export interface ReportQuestion {
  /** null: everything (admin). */
  readonly platformId: string | null;
  readonly bindingRef: string | null;
  readonly groupBy: readonly ReportDimension[];
  readonly window: 'hour' | 'day' | 'month' | 'total';
  readonly from: Date;
  readonly to: Date;
  /** IANA name; `UTC` by default. */
  readonly timeZone: string;
}
export interface ReportLine {
  readonly windowStart: string;
  readonly keys: Readonly<Partial<Record<ReportDimension, string>>>;
  readonly meter: string;
  readonly unit: string;
  /** Decimal string. */
  readonly total: string;
  readonly attributed: boolean;
}
export interface Report {
  readonly asOf: string;
  readonly lines: readonly ReportLine[];
  /** Per meter: decimal string of what no binding explains, and its share of the total (`0.0123`). */
  readonly unattributed: readonly { readonly meter: string; readonly total: string; readonly share: string }[];
}
export interface UsageReports {
  report(question: ReportQuestion): Promise<Report>;
}
