/** Reads the rows of a file, from its start or from a place that an earlier reading gave out. */

import { RECORD_LIMITS } from "../formats/decode";
import { parseJsonText } from "../shared/json-input";
import { avroRows, avroSample } from "./avro";
import { type Chunks, gunzip, skipBytes } from "./bytes";
import { parseFields } from "./csv";
import { isUtf16, textDecoder, utf16ToUtf8 } from "./encoding";
import { JsonArraySplitter } from "./json-array";
import { type Fault, type RawRecord, RecordSplitter, type Splitter } from "./records";
import { type Cells, type CsvDialect, type FilePlace, type FilePlan, type Row, START } from "./types";

/** Longest line or element: what the stream takes of a record. */
const MAX_BYTES = RECORD_LIMITS.maxBytes;

const FAULTS: Readonly<Record<Fault, string>> = {
  too_large: `longer than ${MAX_BYTES} bytes, or a quote is not closed`,
  open_quote: "a quote is not closed before the end of the file",
  stray_quote: "text after a closing quote",
  not_closed: "the file ends before its JSON array does",
  outside: "not a JSON array from here on",
};

/** Whether a place in the file can be reached without reading what is before it. */
export const isSeekable = ({ gzip, encoding, format }: FilePlan): boolean => !gzip && !isUtf16(encoding) && format !== "avro";

/**
 * @param file the bytes of the file: from `from.offset` on when the plan {@link isSeekable}, else from its start
 */
export function readRowsFrom(file: Chunks, plan: FilePlan, from: FilePlace): AsyncGenerator<Row> {
  if (isSeekable(plan)) return readRows(file, plan, from, from.offset);
  return readRows(plan.gzip ? gunzip(file) : file, plan, from, 0);
}

/**
 * @param plain the bytes of the file without gzip, from `startsAt` on
 * @param from rows before this place are left out
 */
export async function* readRows(plain: Chunks, plan: FilePlan, from: FilePlace = START, startsAt = 0): AsyncGenerator<Row> {
  if (plan.format === "avro") {
    yield* avroRows(plain, from);
    return;
  }
  const utf8 = isUtf16(plan.encoding) ? utf16ToUtf8(plain, plan.encoding) : plain;
  const first = Math.max(from.offset, plan.bomBytes);
  const reader = new RowReader(plan, { ...from, offset: first });
  for await (const chunk of skipBytes(utf8, first - startsAt)) yield* reader.rows(reader.splitter.push(chunk));
  yield* reader.rows(reader.splitter.end());
}

/** So many rows show what a file holds. */
const SAMPLE_ROWS = 500;

/** The rows of a file's first bytes, without the one that the end of the bytes cuts. */
export async function sampleRows(head: Buffer, whole: boolean, plan: FilePlan): Promise<readonly Row[]> {
  if (plan.format === "avro") return avroSample(head, SAMPLE_ROWS);
  const utf8 = isUtf16(plan.encoding)
    ? Buffer.from(new TextDecoder(plan.encoding).decode(head, { stream: true }), "utf8")
    : head.subarray(plan.bomBytes);
  const reader = new RowReader(plan, START);
  const records = [...reader.splitter.push(utf8), ...(whole ? reader.splitter.end() : [])];
  return [...reader.rows(records.slice(0, SAMPLE_ROWS))];
}

class RowReader {
  readonly splitter: Splitter;
  private row: number;
  private readonly decode: (bytes: Uint8Array) => string | null;
  private readonly cells: (text: string) => Cells | string;
  private headerIsDue: boolean;

  constructor(
    private readonly plan: FilePlan,
    from: FilePlace,
  ) {
    const { csv, format, encoding } = plan;
    this.row = from.row;
    this.headerIsDue = csv?.header === true && from.line === 0;
    this.decode = textDecoder(isUtf16(encoding) ? "utf-8" : encoding);
    this.cells = csv === null ? jsonCells : (text) => csvCells(text, csv);
    this.splitter =
      format === "json"
        ? new JsonArraySplitter(MAX_BYTES, from)
        : new RecordSplitter({ quote: code(csv?.quote), delimiter: code(csv?.delimiter) ?? 0, maxBytes: MAX_BYTES }, from);
  }

  *rows(records: readonly RawRecord[]): Generator<Row> {
    for (const record of records) {
      const { fault, line, next } = record;
      const text = fault === null ? this.decode(record.bytes) : "";
      if (fault === null && this.plan.format !== "json" && text?.trim() === "") continue;
      if (this.headerIsDue) {
        this.headerIsDue = false;
        continue;
      }
      this.row++;
      const cells = fault !== null ? FAULTS[fault] : text === null ? notUtf8(this.plan) : this.cells(text);
      const place = { line, row: this.row, next: { ...next, row: this.row }, bytes: record.bytes };
      yield typeof cells === "string" ? { kind: "unreadable", reason: cells, ...place } : { kind: "row", cells, ...place };
    }
  }
}

const code = (character: string | undefined): number | null => (character === undefined ? null : character.charCodeAt(0));

function notUtf8({ csv }: FilePlan): string {
  const help = csv === null ? "" : "; if it is an older Windows file, add --encoding windows-1252";
  return `not UTF-8${help}`;
}

function csvCells(text: string, { delimiter, quote, columns }: CsvDialect): Cells | string {
  const fields = parseFields(text, delimiter, quote);
  if (fields.length !== columns.length) return `columns: expected ${columns.length}, got ${fields.length}`;
  const cells: Record<string, string> = {};
  for (let i = 0; i < fields.length; i++) cells[columns[i] ?? ""] = fields[i] ?? "";
  return cells;
}

/** By the reader of the stream, which refuses a name that occurs twice; `JSON.parse` alone keeps the last. */
function jsonCells(text: string): Cells | string {
  const read = parseJsonText(text, RECORD_LIMITS.maxDepth);
  if (!read.ok) return read.detail;
  const { value } = read;
  return value === null || typeof value !== "object" || Array.isArray(value) ? "not an object" : { ...value };
}
