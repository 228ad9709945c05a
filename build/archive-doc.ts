/** Writes docs/archive.md from the declarations of the archive's lines. To run it alone: `node dist/build/archive-doc.js`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LoadTarget, TARGETS } from "../functions/loader/targets";
import type { LineColumn } from "../functions/scoring/core/line-columns";

const HEAD = `# The archive

The fields of the archive's lines, for whoever reads the data bucket directly. Scores, quarantined records, labels and decision generations are stored there as NDJSON, compressed with Zstandard (by a delivery stream with GZIP, as the extension says): one JSON
object per line, one compressed object per batch. The warehouse's loader copies each line into a row with the same fields.

\`npm run docs\` makes this page from \`functions/scoring/core/archive-record.ts\`, \`label-record.ts\` and \`generation-record.ts\` beside it; a test compares these
declarations with the tables of \`sql/migrations\`.

An object under \`archive/\` may hold no line at all: it closes a key whose events have moved to another object, so that nobody can write it any more. It
is valid Zstandard with empty content; readers skip it.

A field that isn't required may be null; a rare one is left out instead. The loader adds \`load_id\` and \`loaded_at\` to every row.
`;

export function archiveDoc(): string {
  return [HEAD, ...TARGETS.map(section)].join("\n");
}

function section({ table, prefix, columns }: LoadTarget): string {
  const rows = Object.entries(columns).map(
    ([field, column]) => `| ${name(field, column)} | ${column.type} | ${presence(column)} | ${column.description} |`,
  );
  return [`## \`${prefix}\` → \`risk.${table}\``, "", "| Field | Type | | Meaning |", "|---|---|---|---|", ...rows, ""].join(
    "\n",
  );
}

const name = (field: string, { column }: LineColumn<unknown>): string =>
  column === undefined ? `\`${field}\`` : `\`${field}\`, column \`${column}\``;

const presence = (column: LineColumn<unknown>): string => (column.required ? "required" : "rare" in column ? "rare" : "");

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) {
  writeFileSync(join(process.cwd(), "docs", "archive.md"), archiveDoc());
}
