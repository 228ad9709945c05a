/** What a file's rows have, and the file in words. */
import type { Cells, FilePlan, Row } from "./types";

export function readable(rows: readonly Row[]): readonly Cells[] {
  return rows.flatMap((row) => (row.kind === "row" ? [row.cells] : []));
}

/** The columns of CSV, or every member that a row of the sample has. */
export function columnsOf({ csv }: FilePlan, sample: readonly Row[]): readonly string[] {
  return csv?.columns ?? [...new Set(readable(sample).flatMap((cells) => Object.keys(cells)))];
}

const FORMAT_NAMES = { csv: "CSV", ndjson: "NDJSON", json: "JSON array", avro: "Avro object container" } as const;
const ENCODING_NAMES = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16 LE",
  "utf-16be": "UTF-16 BE",
  "windows-1252": "Windows-1252",
} as const;

/** `CSV, gzip, UTF-8 with byte order mark, delimiter ;, quote ", header in the first line` */
export function planText({ format, gzip, encoding, bomBytes, csv }: FilePlan): string {
  return [
    FORMAT_NAMES[format],
    ...(gzip ? ["gzip"] : []),
    ...(format === "avro" ? [] : [ENCODING_NAMES[encoding] + (bomBytes > 0 ? " with byte order mark" : "")]),
    ...(csv === null
      ? []
      : [
          `delimiter ${csv.delimiter === "\t" ? "tab" : csv.delimiter}`,
          `quote ${csv.quote}`,
          csv.header ? "header in the first line" : "no header",
        ]),
  ].join(", ");
}
