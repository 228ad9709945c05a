/** Reads a CSV or NDJSON file of any size row by row. A line that can't be read becomes a rejected row, and reading goes on. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { CsvError, parse } from "csv-parse";
import { RECORD_LIMITS } from "../../functions/formats/decode";
import { parseJsonText } from "../../functions/shared/json-input";
import { UsageError } from "../options";

export type Row =
  | { readonly kind: "row"; readonly line: number; readonly cells: Readonly<Record<string, unknown>>; readonly bytesRead: number }
  | { readonly kind: "unreadable"; readonly line: number; readonly reason: string; readonly bytesRead: number };

export type Format = "csv" | "ndjson";

/** From the option, or from the file's extension. */
export function formatOf(file: string, option: string | undefined): Format {
  if (!existsSync(file)) throw new UsageError(`${file}: no such file.`);
  if (!statSync(file).isFile()) throw new UsageError(`${file}: expected a file, got a folder or device.`);
  if (option === "csv" || option === "ndjson") return option;
  if (option !== undefined) throw new UsageError(`--format: expected csv or ndjson, got "${option}".`);
  const ending = extname(file).toLowerCase();
  if (ending === ".csv" || ending === ".tsv") return "csv";
  if ([".ndjson", ".jsonl", ".json"].includes(ending)) return "ndjson";
  throw new UsageError(`${file}: its format isn't clear from the extension "${ending}". Add --format csv or --format ndjson.`);
}

export async function* readRows(file: string, format: Format): AsyncGenerator<Row> {
  yield* format === "csv" ? csvRows(file) : ndjsonRows(file);
}

async function* csvRows(file: string): AsyncGenerator<Row> {
  const input = createReadStream(file);
  const delimiter = extname(file).toLowerCase() === ".tsv" ? "\t" : ",";
  const parser = parse({ columns: true, bom: true, delimiter, relax_column_count: true, skip_empty_lines: true, info: true });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const { record, info } of parser) {
      const bytesRead = input.bytesRead;
      if (info.error) yield { kind: "unreadable", line: info.lines, reason: `columns: ${info.error.message}`, bytesRead };
      else yield { kind: "row", line: info.lines, cells: record, bytesRead };
    }
  } catch (error) {
    // The parser can't continue after a broken quote: the rows before it are valid, and the rest of the file is one rejected row.
    if (!(error instanceof CsvError)) throw error;
    const reason = `not CSV from here to the end of the file: ${error.message}`;
    yield { kind: "unreadable", line: parser.info.lines, reason, bytesRead: input.bytesRead };
  }
}

async function* ndjsonRows(file: string): AsyncGenerator<Row> {
  const input = createReadStream(file);
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === "") continue;
    yield ndjsonRow(text, line, input.bytesRead);
  }
}

/** By the reader of the stream, which refuses a name that occurs twice; `JSON.parse` alone keeps the last. */
function ndjsonRow(text: string, line: number, bytesRead: number): Row {
  const read = parseJsonText(text, RECORD_LIMITS.maxDepth);
  if (!read.ok) return { kind: "unreadable", line, reason: read.detail, bytesRead };
  const { value } = read;
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return { kind: "unreadable", line, reason: "not an object", bytesRead };
  return { kind: "row", line, cells: { ...value }, bytesRead };
}
