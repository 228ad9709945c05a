/** Decides how a file is read, by its first 64 KiB: format, encoding, delimiter, quote and header. Options decide before detection. */
import { createHash } from "node:crypto";
import { isContainer } from "../formats/avro/container";
import { type Chunks, gunzip, isGzip, type Peeked, peek } from "./bytes";
import { detectDialect, sampleRecords } from "./csv";
import { detectEncoding, isUtf16 } from "./encoding";
import { uniqueColumns } from "./header";
import { sampleRows } from "./read";
import { type CsvDialect, type Encoding, FileError, type FileOptions, type FilePlan, type Format, type Row } from "./types";

export const SAMPLE_BYTES = 64 * 1024;
/** More than any character of the known encodings and any magic number. */
const MAGIC_BYTES = 8;

/** Files that are known by their first bytes and aren't read. */
const OTHERS: readonly { readonly bytes: readonly number[]; readonly is: string; readonly help: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], is: "a ZIP or Excel file", help: "Unpack it, or save the sheet as CSV" },
  { bytes: [0x50, 0x41, 0x52, 0x31], is: "a Parquet file", help: "Write it as CSV or NDJSON" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], is: "a Zstandard file", help: "Unpack it, or compress it with gzip" },
  { bytes: [0x42, 0x5a, 0x68], is: "a bzip2 file", help: "Unpack it, or compress it with gzip" },
];

export interface Inspected {
  readonly plan: FilePlan;
  /** The first rows, by which columns and times are judged. */
  readonly sample: readonly Row[];
  /** The file, from its start and without gzip. To be read once. */
  readonly plain: Chunks;
}

/** @throws FileError */
export async function inspect(source: Chunks, options: FileOptions = {}): Promise<Inspected> {
  const start = await peek(source, MAGIC_BYTES);
  const gzip = isGzip(start.head);
  const sample = await peek(gzip ? gunzip(start.chunks) : start.chunks, SAMPLE_BYTES);
  const plan = planOf(sample, gzip, options);
  return { plan, sample: await sampleRows(sample.head, sample.whole, plan), plain: sample.chunks };
}

function planOf({ head, whole }: Peeked, gzip: boolean, options: FileOptions): FilePlan {
  const other = OTHERS.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (other !== undefined) throw new FileError(`This is ${other.is}. ${other.help}.`);
  const contentId = createHash("sha256").update(head).digest("hex").slice(0, 12);
  if ((options.format ?? (isContainer(head) ? "avro" : null)) === "avro")
    return { format: "avro", gzip, encoding: "utf-8", bomBytes: 0, csv: null, contentId };
  const detected = detectEncoding(head, whole);
  const encoding = options.encoding ?? detected.encoding;
  const bomBytes = encoding === detected.encoding ? detected.bomBytes : 0;
  const text = sampleText(head.subarray(bomBytes), encoding);
  const format = options.format ?? detectFormat(text);
  const csv = format === "csv" ? dialectOf(text, whole, options) : null;
  return { format, gzip, encoding, bomBytes, csv, contentId };
}

/** Without the character that the end of the sample cuts. */
function sampleText(head: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding).decode(head, { stream: isUtf16(encoding) || encoding === "utf-8" });
}

/** By the first character: an object starts NDJSON, an array of objects or an empty one JSON; everything else is CSV. */
function detectFormat(text: string): Format {
  const first = text.trimStart();
  if (first.startsWith("{")) return "ndjson";
  return /^\[\s*[{\]]/.test(first) ? "json" : "csv";
}

function dialectOf(text: string, whole: boolean, options: FileOptions): CsvDialect {
  const { delimiter, quote } = detectDialect(text, whole, options);
  const records = sampleRecords(text, whole, delimiter, quote);
  // A first record that the sample cuts off, or that is broken.
  const [first] = records.length > 0 ? records : sampleRecords(text, true, delimiter, quote);
  if (first === undefined) return { delimiter, quote, header: true, columns: [] };
  const header = options.header ?? !first.some(isValue);
  const given = options.columns ?? (header ? first.map((name) => name.trim()) : first.map((_, i) => `column${i + 1}`));
  if (given.length !== first.length)
    throw new FileError(`The columns that were given are ${given.length}, and the first line has ${first.length} fields.`);
  return { delimiter, quote, header, columns: uniqueColumns(given) };
}

/** Names of columns aren't numbers, amounts or times. */
function isValue(cell: string): boolean {
  return /^[\s$€£(+-]*\d[\d.,: /T-]*\)?(?:[AaPp][Mm]|Z)?\s*$/.test(cell);
}
