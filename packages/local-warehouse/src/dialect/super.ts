/**
 * SUPER is jsonb here. Navigation (`e.reasons[0].code`) becomes jsonb_extract_path, an array in FROM (`FROM t e, e.flags f`) a
 * lateral call that gives its elements. https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
 */
import { nameOf, quoted, raw, type Token } from "./lexer";

/** Functions whose arguments hold a FROM that begins no list of tables. */
const FROM_INSIDE = new Set(["EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"]);
/** Words that end a table's reference rather than name it. */
const NO_ALIAS = new Set(
  "WHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT JOIN INNER LEFT RIGHT FULL CROSS NATURAL ON USING SET WHEN VALUES AS SELECT OFFSET".split(
    " ",
  ),
);

interface Path {
  readonly names: readonly (string | number)[];
  readonly tokens: readonly Token[];
  /** Index after the path. */
  readonly end: number;
}

interface Scope {
  readonly aliases: Set<string>;
  /** Aliases of array elements. */
  readonly elements: Set<string>;
  /** First token of an array in FROM → its path and alias, and where it ends. */
  readonly arrays: Map<number, { readonly path: Path; readonly alias: string; readonly end: number }>;
}

export function rewriteSuper(tokens: readonly Token[]): Token[] {
  const scope = readScope(tokens);
  const result: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at] as Token;
    const array = scope.arrays.get(at);
    if (array !== undefined) {
      const alias = quoted(array.alias);
      result.push(raw(`LATERAL redshift.super_elements(${expression(array.path, scope)}) AS ${alias} (${alias})`, token.space));
      at = array.end;
      continue;
    }
    const path = pathAt(tokens, at);
    if (path !== undefined && isNavigation(tokens, at, path, scope)) {
      const isCast = tokens[path.end]?.text === "::" || (tokens[at - 2]?.upper === "CAST" && tokens[path.end]?.upper === "AS");
      const value = expression(path, scope);
      result.push(raw(isCast ? `redshift.super_text(${value})` : value, token.space));
      at = path.end;
      continue;
    }
    result.push(token);
    at += 1;
  }
  return result;
}

function readScope(tokens: readonly Token[]): Scope {
  const scope: Scope = { aliases: new Set(), elements: new Set(), arrays: new Map() };
  tokens.forEach((token, at) => {
    if (token.kind === "word" && (token.upper === "JOIN" || (token.upper === "FROM" && beginsTables(tokens, at)))) {
      readTables(tokens, at + 1, token.upper === "FROM", scope);
    }
  });
  return scope;
}

function beginsTables(tokens: readonly Token[], at: number): boolean {
  if (tokens[at - 1]?.upper === "DISTINCT") return false;
  let depth = 0;
  for (let before = at - 1; before >= 0; before--) {
    if (tokens[before]?.text === ")") depth += 1;
    if (tokens[before]?.text === "(" && depth-- === 0) return !FROM_INSIDE.has(tokens[before - 1]?.upper ?? "");
  }
  return true;
}

function readTables(tokens: readonly Token[], start: number, isList: boolean, scope: Scope): void {
  for (let at = start; ; at += 1) {
    const first = at;
    let path: Path | undefined;
    if (tokens[at]?.text === "(") {
      let depth = 0;
      do {
        if (tokens[at]?.text === "(") depth += 1;
        if (tokens[at]?.text === ")") depth -= 1;
        at += 1;
      } while (depth > 0 && at < tokens.length);
    } else {
      path = pathAt(tokens, at);
      if (path === undefined) return;
      at = path.end;
    }
    if (tokens[at]?.upper === "AS") at += 1;
    const aliasToken = tokens[at];
    const hasAlias =
      aliasToken !== undefined &&
      (aliasToken.kind === "quoted" || (aliasToken.kind === "word" && !NO_ALIAS.has(aliasToken.upper)));
    const alias = hasAlias ? nameOf(aliasToken) : String(path?.names.at(-1) ?? "");
    if (hasAlias) at += 1;
    const owner = path?.names[0];
    if (path !== undefined && path.names.length > 1 && typeof owner === "string" && scope.aliases.has(owner)) {
      scope.arrays.set(first, { path, alias, end: at });
      scope.elements.add(alias);
    }
    scope.aliases.add(alias);
    if (!isList || tokens[at]?.text !== ",") return;
  }
}

function pathAt(tokens: readonly Token[], start: number): Path | undefined {
  const first = tokens[start];
  if (first === undefined || (first.kind !== "word" && first.kind !== "quoted") || tokens[start - 1]?.text === ".")
    return undefined;
  const names: (string | number)[] = [nameOf(first)];
  let at = start + 1;
  for (;;) {
    const next = tokens[at + 1];
    if (tokens[at]?.text === "." && (next?.kind === "word" || next?.kind === "quoted")) {
      names.push(nameOf(next));
      at += 2;
    } else if (tokens[at]?.text === "[" && next?.kind === "number" && tokens[at + 2]?.text === "]") {
      names.push(Number(next.text));
      at += 3;
    } else {
      return { names, tokens: tokens.slice(start, at), end: at };
    }
  }
}

function isNavigation(tokens: readonly Token[], at: number, path: Path, scope: Scope): boolean {
  const [first] = path.names;
  if (typeof first !== "string" || tokens[path.end]?.text === "(") return false;
  if (scope.elements.has(first)) return tokens[at - 1]?.upper !== "AS";
  return path.names.some((name) => typeof name === "number") || (scope.aliases.has(first) && path.names.length > 2);
}

function expression(path: Path, scope: Scope): string {
  const [first = "", ...others] = path.names;
  const isElement = scope.elements.has(String(first));
  const isQualified = !isElement && scope.aliases.has(String(first)) && typeof others[0] === "string";
  const base = isElement
    ? `${quoted(String(first))}.${quoted(String(first))}`
    : isQualified
      ? `${quoted(String(first))}.${quoted(String(others[0]))}`
      : quoted(String(first));
  const steps = isQualified ? others.slice(1) : others;
  return steps.length === 0 ? base : `jsonb_extract_path(${base}, ${steps.map((step) => textLiteral(String(step))).join(", ")})`;
}

function textLiteral(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
