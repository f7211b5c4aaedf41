/** One row of usage_event, ready to be written. */
export interface EventRow {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly quantity: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** 16 bytes, a character for each: half as long as in hexadecimal digits, and one step from the wire. */
  readonly dedup: string;
  readonly sourceId: number;
  readonly subjectId: number;
  readonly content: number;
  readonly meterId: number;
}
export const eventColumns =
  'event_time, quantity, request_bytes, response_bytes, batch_id, dedup, source_id, subject_id, content, meter_id';

/** Bytes of each column, in the order of eventColumns. */
const widths = [8, 8, 8, 8, 8, 16, 4, 4, 4, 2] as const;
const head = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const rowLength = 2 + widths.reduce((sum, width) => sum + 4 + width, 0);
const emptyRow = ((): Buffer => {
  const row = Buffer.alloc(rowLength);
  let at = row.writeInt16BE(widths.length, 0);
  for (const width of widths) at = row.writeInt32BE(width, at) + width;
  return row;
})();
const year2000 = 946_684_800_000;

/** Rows as COPY … (format binary) takes them: every column is fixed in width and never null. */
export function encodeRows(rows: readonly EventRow[], batchId: number): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + rows.length * rowLength + 2);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = head.copy(bytes, 0);
  for (const row of rows) {
    emptyRow.copy(bytes, at);
    writeInt64(view, at + 6, (row.time - year2000) * 1_000);
    writeInt64(view, at + 18, row.quantity);
    writeInt64(view, at + 30, row.requestBytes);
    writeInt64(view, at + 42, row.responseBytes);
    writeInt64(view, at + 54, batchId);
    for (let n = 0; n < 16; n += 1) bytes[at + 66 + n] = row.dedup.charCodeAt(n);
    view.setInt32(at + 86, row.sourceId);
    view.setInt32(at + 94, row.subjectId);
    view.setInt32(at + 102, row.content);
    view.setInt16(at + 110, row.meterId);
    at += rowLength;
  }
  view.setInt16(at, -1);
  return bytes;
}
/** As uuids take it. */
export const hexOf = (dedup: string): string => Buffer.from(dedup, 'latin1').toString('hex');

/** Of a safe integer. */
function writeInt64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * 2 ** 32);
}
