import type { FileOptions } from "./types";

/** Of an extension that says more than the first character of the file could. */
export function formatByName(name: string): FileOptions {
  const ending = /\.([a-z]+)(?:\.gz)?$/.exec(name.toLowerCase())?.[1];
  if (ending === "csv" || ending === "tsv") return { format: "csv" };
  return ending === "ndjson" || ending === "jsonl" ? { format: "ndjson" } : {};
}
