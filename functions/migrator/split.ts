/** Splits SQL text into statements, because the Data API takes one at a time. */

/**
 * Strings, quoted names, comments and dollar-quoted bodies may contain semicolons. Comments before a statement stay with it,
 * those after the last one are dropped. A backslash inside quotes is an escape, as in Redshift.
 * @throws SyntaxError for a quote or a comment that never ends
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let hasCode = false;
  let at = 0;
  const end = () => {
    if (hasCode) statements.push(sql.slice(start, at).trim());
    hasCode = false;
  };
  while (at < sql.length) {
    const skipped = skipComment(sql, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    const character = sql[at] ?? "";
    if (character === ";") {
      end();
      at += 1;
      start = at;
      continue;
    }
    if (character.trim() !== "") hasCode = true;
    at = skipQuoted(sql, at);
  }
  end();
  return statements;
}

function skipComment(sql: string, at: number): number {
  if (sql.startsWith("--", at)) {
    const end = sql.indexOf("\n", at);
    return end < 0 ? sql.length : end + 1;
  }
  if (!sql.startsWith("/*", at)) return at;
  const end = sql.indexOf("*/", at + 2);
  if (end < 0) throw unfinished(sql, at, "comment");
  return end + 2;
}

/** Position after the quoted text or comment that begins here, or after one character. */
function skipQuoted(sql: string, at: number): number {
  const quote = sql[at];
  if (quote === "'" || quote === '"') {
    for (let position = at + 1; position < sql.length; position++) {
      if (sql[position] === "\\" && quote === "'") position += 1;
      else if (sql[position] === quote && sql[position + 1] === quote) position += 1;
      else if (sql[position] === quote) return position + 1;
    }
    throw unfinished(sql, at, quote === "'" ? "string" : "quoted name");
  }
  const tag = quote === "$" ? /^\$(?:[A-Za-z_]\w*)?\$/.exec(sql.slice(at, at + 64))?.[0] : undefined;
  if (tag === undefined) return at + 1;
  const end = sql.indexOf(tag, at + tag.length);
  if (end < 0) throw unfinished(sql, at, "dollar-quoted string");
  return end + tag.length;
}

function unfinished(sql: string, at: number, what: string): SyntaxError {
  return new SyntaxError(`The ${what} that begins on line ${sql.slice(0, at).split("\n").length} never ends. Close it.`);
}
