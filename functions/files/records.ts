/**
 * Cuts bytes into records: lines, or those of CSV, whose quoted fields may hold line breaks. The result doesn't depend on how the bytes
 * come in chunks, and a broken record costs one line: reading goes on with the next one.
 */
import { type FilePlace, START } from "./types";

export type Fault = "too_large" | "open_quote" | "stray_quote" | "not_closed" | "outside";

export interface RawRecord {
  /** Without its line break; empty with a fault. */
  readonly bytes: Uint8Array;
  readonly fault: Fault | null;
  /** From 1. */
  readonly line: number;
  /** After the record. `row` isn't counted here. */
  readonly next: Pick<FilePlace, "offset" | "line">;
}

/** Takes chunks and gives back the records that are complete. */
export interface Splitter {
  push(chunk: Uint8Array): RawRecord[];
  end(): RawRecord[];
}

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

export interface Cutting {
  /** Null: a line break always ends the record. */
  readonly quote: number | null;
  readonly delimiter: number;
  readonly maxBytes: number;
}

type Found =
  | { readonly kind: "end"; readonly at: number }
  | { readonly kind: "more" }
  | { readonly kind: "fault"; readonly fault: Fault };
const MORE: Found = { kind: "more" };

export class RecordSplitter implements Splitter {
  private pending: Buffer = NOTHING;
  /** Start of the next record in `pending`. */
  private at = 0;
  private offset: number;
  private line: number;
  /** The fault of the line that is being skipped. */
  private skipping: Fault | null = null;
  /** The first quote at or after `at`, as far as it is known. */
  private quoteAt = -1;

  constructor(
    private readonly cutting: Cutting,
    from: Pick<FilePlace, "offset" | "line"> = START,
  ) {
    this.offset = from.offset;
    this.line = from.line;
  }

  push(chunk: Uint8Array): RawRecord[] {
    const rest = this.pending.subarray(this.at);
    this.pending = rest.length === 0 ? asBuffer(chunk) : Buffer.concat([rest, chunk]);
    this.at = 0;
    this.quoteAt = -1;
    return this.take(false);
  }

  end(): RawRecord[] {
    const records = this.take(true);
    if (this.skipping !== null) records.push(this.refused(this.pending.length));
    this.pending = NOTHING;
    this.at = 0;
    return records;
  }

  private take(ended: boolean): RawRecord[] {
    const records: RawRecord[] = [];
    while (this.skipping !== null || this.at < this.pending.length) {
      if (this.skipping !== null) {
        const lineEnd = this.pending.indexOf(LF, this.at);
        if (lineEnd === -1) {
          this.offset += this.pending.length - this.at;
          this.at = this.pending.length;
          break;
        }
        records.push(this.refused(lineEnd + 1));
        continue;
      }
      const found = this.endOfRecord(ended);
      if (found.kind === "more") break;
      if (found.kind === "fault") this.skipping = found.fault;
      else records.push(this.record(found.at));
    }
    return records;
  }

  private record(end: number): RawRecord {
    const bytes = this.pending.subarray(this.at, this.pending[end - 1] === CR && end > this.at ? end - 1 : end);
    const line = this.line + 1;
    const next = Math.min(end + 1, this.pending.length);
    let lines = 1;
    if (this.quoteAt !== -1 && this.quoteAt < end)
      for (let i = bytes.indexOf(LF); i !== -1; i = bytes.indexOf(LF, i + 1)) lines++;
    this.advance(next, lines);
    return { bytes, fault: null, line, next: { offset: this.offset, line: this.line } };
  }

  private refused(next: number): RawRecord {
    const line = this.line + 1;
    const fault = this.skipping;
    this.skipping = null;
    this.advance(next, 1);
    return { bytes: NOTHING, fault, line, next: { offset: this.offset, line: this.line } };
  }

  private advance(to: number, lines: number): void {
    this.offset += to - this.at;
    this.at = to;
    this.line += lines;
  }

  private endOfRecord(ended: boolean): Found {
    const { quote, maxBytes } = this.cutting;
    const lineEnd = this.pending.indexOf(LF, this.at);
    const end = lineEnd === -1 ? this.pending.length : lineEnd;
    if (quote !== null && this.nextQuote(quote) < end) return this.endOfQuoted(quote, ended);
    if (end - this.at > maxBytes) return { kind: "fault", fault: "too_large" };
    return lineEnd === -1 && !ended ? MORE : { kind: "end", at: end };
  }

  private nextQuote(quote: number): number {
    if (this.quoteAt < this.at) {
      const found = this.pending.indexOf(quote, this.at);
      this.quoteAt = found === -1 ? this.pending.length : found;
    }
    return this.quoteAt;
  }

  /** Looks only at the bytes that a record may have, so that the verdict doesn't depend on what else has arrived. */
  private endOfQuoted(quote: number, ended: boolean): Found {
    const window = this.pending.subarray(this.at, this.at + this.cutting.maxBytes + 1);
    const full = window.length > this.cutting.maxBytes;
    const found = scanQuoted(window, quote, this.cutting.delimiter, ended && !full);
    if (found.kind === "end") return { kind: "end", at: this.at + found.at };
    return found.kind === "more" && full ? { kind: "fault", fault: "too_large" } : found;
  }
}

/** RFC 4180: a quote counts at the start of a field; in it, two quotes are one. */
function scanQuoted(bytes: Buffer, quote: number, delimiter: number, ended: boolean): Found {
  const { length } = bytes;
  const open: Found = ended ? { kind: "fault", fault: "open_quote" } : MORE;
  const rest: Found = ended ? { kind: "end", at: length } : MORE;
  let at = 0;
  for (;;) {
    if (bytes[at] === quote) {
      let close = bytes.indexOf(quote, at + 1);
      while (close !== -1 && bytes[close + 1] === quote) close = bytes.indexOf(quote, close + 2);
      if (close === -1) return open;
      at = close + 1;
      if (bytes[at] === CR && (at + 1 < length ? bytes[at + 1] === LF : ended)) at++;
      else if (bytes[at] === CR && at + 1 === length) return MORE;
      if (at < length && bytes[at] !== LF && bytes[at] !== delimiter) return { kind: "fault", fault: "stray_quote" };
    }
    while (at < length && bytes[at] !== delimiter && bytes[at] !== LF) at++;
    if (at >= length) return rest;
    if (bytes[at] === LF) return { kind: "end", at };
    at++;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
