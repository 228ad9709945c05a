/** Lines of a table's objects as JSON objects of its columns: what the SerDe makes of them. */
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import type { CatalogTable } from "../glue/catalog";

const unzip = promisify(gunzip);
const unzstd = promisify(zstdDecompress);

/** By the name's ending, as Hive does. */
async function textOf(key: string, bytes: Buffer): Promise<string> {
  if (key.endsWith(".zst")) return (await unzstd(bytes)).toString("utf8");
  if (key.endsWith(".gz")) return (await unzip(bytes)).toString("utf8");
  return bytes.toString("utf8");
}

const JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe";
const CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde";

/** @throws Error naming the SerDe that isn't read here */
export async function linesOf(table: CatalogTable, key: string, bytes: Buffer): Promise<string[]> {
  const { library } = table.serde;
  if (library !== JSON_SERDE && library !== CSV_SERDE)
    throw new Error(`${table.name}: the local Athena reads with ${JSON_SERDE} and ${CSV_SERDE}, not with ${library}.`);
  const lines = (await textOf(key, bytes)).split(/\r?\n/).filter((line) => line.trim() !== "");
  if (library === JSON_SERDE) return lines;
  const names = table.columns.map(({ name }) => name);
  return lines.map((line) => {
    const values = fieldsOf(line);
    return JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])));
  });
}

/**
 * Fields of a line of CSV, as OpenCSV reads them: inside quotes a backslash escapes a quote or a backslash. A record has no line breaks: Hive
 * splits lines before it looks at quotes.
 */
export function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  const pattern = /("(?:\\[\\"]|""|[^"])*"|[^,]*)(,|$)/y;
  for (;;) {
    const [, field = "", separator = ""] = pattern.exec(line) ?? [];
    const isQuoted = field.startsWith('"');
    fields.push(isQuoted ? field.slice(1, -1).replace(/\\([\\"])|""/g, (_, escaped?: string) => escaped ?? '"') : field);
    if (separator === "") return fields;
  }
}
