/** One statement of Redshift SQL → what PostgreSQL runs for it, or a refusal that names why. */
import { type CopyStatement, readCopy } from "./copy-statement";
import { rewriteExpressions } from "./expressions";
import { DialectError, isSequence, lex, raw, type Token, textOf } from "./lexer";
import { refuseUnsupported } from "./refusals";
import { rewriteSuper } from "./super";
import { rewriteAlterTable, rewriteCreateTable } from "./tables";
import { readUnload, type UnloadStatement } from "./unload-statement";

export type Translation =
  /** `parameters` are the names of `$1`, `$2`, … */
  | { readonly kind: "sql"; readonly sql: string; readonly parameters: readonly string[] }
  | { readonly kind: "copy"; readonly copy: CopyStatement }
  | { readonly kind: "unload"; readonly unload: UnloadStatement };

/** @throws DialectError for anything that would not run as Redshift runs it */
export function translate(sql: string): Translation {
  const tokens = lex(sql);
  while (tokens.at(-1)?.text === ";") tokens.pop();
  if (tokens.length === 0) throw new DialectError("The statement is empty.");
  if (tokens.some((token) => token.text === ";"))
    throw new DialectError("One statement was expected, got several. Send them one by one, or as a batch.");
  refuseUnsupported(tokens);
  if (tokens[0]?.upper === "COPY") return { kind: "copy", copy: readCopy(tokens) };
  if (tokens[0]?.upper === "UNLOAD") return { kind: "unload", unload: readUnload(tokens) };
  const parameters: string[] = [];
  const bound = rewriteStatement(tokens).map((token) => {
    if (token.kind !== "parameter") return token;
    const name = token.text.slice(1);
    if (!parameters.includes(name)) parameters.push(name);
    return raw(`$${parameters.indexOf(name) + 1}`, token.space);
  });
  const rewritten = textOf(rewriteExpressions(rewriteSuper(bound))).trim();
  return { kind: "sql", sql: rewritten, parameters };
}

function rewriteStatement(tokens: readonly Token[]): readonly Token[] {
  const [first, second] = tokens;
  if (first?.upper === "CREATE" && tokens.slice(1, 4).some((token) => token.upper === "TABLE")) return rewriteCreateTable(tokens);
  if (first?.upper === "ALTER" && second?.upper === "TABLE") return rewriteAlterTable(tokens);
  if (first?.upper === "GRANT" || first?.upper === "REVOKE") return rewriteGrant(tokens);
  if (first?.upper === "MERGE") return rewriteMerge(tokens);
  return tokens;
}

/** Roles and groups are PostgreSQL roles, so the words that tell them apart go. */
function rewriteGrant(tokens: readonly Token[]): Token[] {
  return tokens.filter((token, at) => {
    if (token.kind !== "word" || (token.upper !== "ROLE" && token.upper !== "GROUP")) return true;
    const before = tokens[at - 1];
    return !(
      before?.upper === "GRANT" ||
      before?.upper === "REVOKE" ||
      before?.upper === "TO" ||
      before?.upper === "FROM" ||
      before?.text === ","
    );
  });
}

/**
 * Redshift's MERGE is narrower than PostgreSQL's: the source is a table, the target has no alias, and both WHEN clauses are
 * there, each once. https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
 */
function rewriteMerge(tokens: readonly Token[]): Token[] {
  const using = tokens.findIndex((token) => token.upper === "USING");
  const target = tokens.slice(2, using);
  if (tokens[1]?.upper !== "INTO" || using < 0) throw new DialectError("MERGE expects: MERGE INTO target USING source ON ….");
  if (target.length !== 1 && !(target.length === 3 && target[1]?.text === ".")) {
    throw new DialectError(`MERGE: Redshift takes no alias for the target, got ${textOf(target).trim()}.`);
  }
  if (tokens[using + 1]?.text === "(")
    throw new DialectError("MERGE: Redshift takes a table as the source, no subquery. Put the rows into a temporary table.");
  const whens = tokens.flatMap((token, at) => (token.upper === "WHEN" && isMergeWhen(tokens, at) ? [at] : []));
  const matched = whens.filter((at) => tokens[at + 1]?.upper === "MATCHED").length;
  if (whens.length !== 2 || matched !== 1) {
    throw new DialectError("MERGE: Redshift expects WHEN MATCHED and WHEN NOT MATCHED, each once and without conditions.");
  }
  const conditional = whens.some((at) => tokens[at + (tokens[at + 1]?.upper === "NOT" ? 3 : 2)]?.upper !== "THEN");
  if (conditional)
    throw new DialectError("MERGE: Redshift takes no condition after WHEN [NOT] MATCHED. Filter the source first.");
  return [...tokens];
}

function isMergeWhen(tokens: readonly Token[], at: number): boolean {
  return tokens[at + 1]?.upper === "MATCHED" || isSequence(tokens, at + 1, ["NOT", "MATCHED"]);
}
