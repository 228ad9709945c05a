/** The saved queries of `sql/athena/`: one statement each, whose first comment says what it answers. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface SavedQuery {
  /** Name of the file: `alerts-by-rule`. */
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

const TABLE = /\b(?:FROM|JOIN)\s+((?:archive|batch)_\w+|quarantine|labels)\b/gi;

/** Those whose tables are all there. The program runs in the project's root. */
export function savedQueries(tables: readonly string[], folder: string = join(process.cwd(), "sql/athena")): SavedQuery[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  return files
    .sort()
    .map((file) => read(file, readFileSync(join(folder, file), "utf8")))
    .filter(({ sql }) => [...sql.matchAll(TABLE)].every(([, table = ""]) => tables.includes(table)));
}

function read(file: string, text: string): SavedQuery {
  const comment = text.split("\n").filter((line) => line.startsWith("-- "));
  return {
    name: file.replace(/\.sql$/, ""),
    description: comment.map((line) => line.slice(3)).join(" "),
    sql: text
      .split("\n")
      .filter((line) => !line.startsWith("-- "))
      .join("\n")
      .trim(),
  };
}
