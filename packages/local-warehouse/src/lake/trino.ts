/** One query in Athena's SQL, which is Trino's → what PostgreSQL runs for it, or a refusal that names why. */
import {
  closing,
  commaSeparated,
  DialectError,
  lex,
  nameOf,
  type Patterns,
  quoted,
  raw,
  type Token,
  textOf,
} from "../dialect/lexer";
import { rewriteCall } from "./functions";

/** Trino's strings have no escapes but the doubled quote. */
const TRINO: Patterns = [
  ["string", /'(?:[^']|'')*'/y],
  ["quoted", /"(?:[^"]|"")*"/y],
  ["number", /(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?/y],
  ["word", /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ["symbol", /::|<=|>=|<>|!=|\|\||->|=>|[\s\S]/y],
];

/** Words before a bracket that call nothing. */
const KEYWORDS = new Set(
  "ALL AND ANY AS BY CASE ELSE EXCEPT EXISTS FILTER FROM GROUP HAVING IN INTERSECT IS JOIN LIKE LIMIT NOT ON OR ORDER OVER PARTITION RECURSIVE SELECT THEN UNION USING VALUES WHEN WHERE WITH".split(
    " ",
  ),
);

const REFUSED_WORDS: Readonly<Record<string, string>> = {
  INSERT: "the tables are read only",
  UPDATE: "the tables are read only",
  DELETE: "the tables are read only",
  MERGE: "the tables are read only",
  INTO: "the tables are read only",
  TRY_CAST: "write CASE, or cast what can be cast",
  TABLESAMPLE: "filter the rows",
  GREATEST: "Trino's gives null for a null and PostgreSQL's doesn't; write CASE",
  LEAST: "Trino's gives null for a null and PostgreSQL's doesn't; write CASE",
};

const REFUSED_SYMBOLS: Readonly<Record<string, string>> = {
  "::": "is PostgreSQL's; write CAST(value AS type)",
  "->": "begins a lambda; unnest the array instead",
  "=>": "names an argument; give it by its place",
  "?": "stands for a parameter of the execution; write the value",
};

export interface TrinoQuery {
  /** Tables after FROM and JOIN, without a database; a name that only the query itself gives isn't told apart. */
  readonly tables: readonly { readonly database: string | undefined; readonly name: string }[];
  readonly tokens: readonly Token[];
}

/** @throws DialectError for anything but one query */
export function readTrino(sql: string): TrinoQuery {
  const tokens = lex(sql, TRINO);
  while (tokens.at(-1)?.text === ";") tokens.pop();
  const first = tokens[0]?.upper;
  if (first === undefined) throw new DialectError("The query is empty.");
  if (first !== "SELECT" && first !== "WITH" && first !== "(")
    throw new DialectError(`The local Athena runs SELECT and WITH, got ${tokens[0]?.text}.`);
  for (const { text, upper, kind } of tokens) {
    if (text === ";") throw new DialectError("One query was expected, got several. Send them one by one.");
    const words = kind === "word" && Object.hasOwn(REFUSED_WORDS, upper) ? REFUSED_WORDS[upper] : undefined;
    const symbols = kind === "symbol" && Object.hasOwn(REFUSED_SYMBOLS, text) ? REFUSED_SYMBOLS[text] : undefined;
    const reason = words ?? symbols;
    if (reason !== undefined) throw new DialectError(`${text} is not supported by the local Athena: ${reason}.`);
  }
  return { tokens, tables: tablesOf(tokens) };
}

function tablesOf(tokens: readonly Token[]): TrinoQuery["tables"] {
  const found = new Map<string, { readonly database: string | undefined; readonly name: string }>();
  tokens.forEach((token, at) => {
    if (!beginsTable(tokens, at)) return;
    const names = [nameOf(token), ...qualifiers(tokens, at)];
    const name = names.at(-1) ?? "";
    const database = names.at(-2);
    found.set(`${database ?? ""}.${name}`, { database, name });
  });
  return [...found.values()];
}

/** A name after FROM or JOIN, or after a comma of a list of tables. */
function beginsTable(tokens: readonly Token[], at: number): boolean {
  const token = tokens[at];
  if (token?.kind !== "word" && token?.kind !== "quoted") return false;
  if (tokens[at + 1]?.text === "(" || KEYWORDS.has(token.upper)) return false;
  const before = tokens[at - 1];
  if (before?.upper === "JOIN" || (before?.upper === "FROM" && !insideExtract(tokens, at - 1))) return true;
  return before?.text === "," && followsFrom(tokens, at - 1);
}

/** `EXTRACT(day FROM x)` and `TRIM(x FROM y)` name no table. */
function insideExtract(tokens: readonly Token[], from: number): boolean {
  let depth = 0;
  for (let at = from - 1; at >= 0; at--) {
    if (tokens[at]?.text === ")") depth += 1;
    if (tokens[at]?.text === "(" && depth-- === 0) return ["EXTRACT", "TRIM"].includes(tokens[at - 1]?.upper ?? "");
  }
  return false;
}

/** Whether the nearest clause before the comma, on its level, is FROM. */
function followsFrom(tokens: readonly Token[], comma: number): boolean {
  let depth = 0;
  for (let at = comma - 1; at >= 0; at--) {
    const { text = "", upper = "" } = tokens[at] ?? {};
    if (text === ")") depth += 1;
    if (text === "(" && depth-- === 0) return false;
    if (depth > 0) continue;
    if (upper === "FROM") return true;
    if (["SELECT", "WHERE", "GROUP", "ORDER", "HAVING", "BY", "WITH", "ON"].includes(upper)) return false;
  }
  return false;
}

/** Names after dots. */
function qualifiers(tokens: readonly Token[], start: number): string[] {
  const names: string[] = [];
  for (let at = start + 1; tokens[at]?.text === "."; at += 2) names.push(nameOf(tokens[at + 1] as Token));
  return names;
}

export interface Writing {
  /** Columns with members. */
  readonly structs: ReadonlySet<string>;
  /** Milliseconds since 1970 that `current_date` and `now()` stand for: the query's beginning, as in Trino. */
  readonly nowMs: number;
}

/** PostgreSQL's text of the query. */
export function writePostgres({ tokens }: TrinoQuery, writing: Writing): string {
  return textOf(write(tokens, writing)).trim();
}

function write(tokens: readonly Token[], writing: Writing): Token[] {
  const result: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    const [written, next] = writeAt(tokens, at, writing);
    result.push(...written);
    at = next;
  }
  return result;
}

type Written = readonly [readonly Token[], number];

function writeAt(tokens: readonly Token[], at: number, writing: Writing): Written {
  const token = tokens[at] as Token;
  if (beginsTable(tokens, at)) return tableAt(tokens, at);
  if (token.kind === "quoted") return structAt(tokens, at, writing) ?? [[token], at + 1];
  if (token.kind !== "word" || tokens[at - 1]?.text === ".") return [[token], at + 1];
  if (token.upper === "DESC" && tokens[at + 1]?.upper !== "NULLS") return [[token, raw("NULLS LAST")], at + 1];
  const now = nowAt(tokens, at, writing.nowMs);
  if (now !== undefined) return now;
  if (token.upper === "DOUBLE" && tokens[at + 1]?.upper !== "PRECISION" && tokens[at - 1]?.upper === "AS")
    return [[raw("double precision", token.space)], at + 1];
  if (tokens[at + 1]?.text === "(" && !KEYWORDS.has(token.upper) && !isNoCall(tokens, at)) return callAt(tokens, at, writing);
  return structAt(tokens, at, writing) ?? [[token], at + 1];
}

/** Without its database: the session has the tables themselves. */
function tableAt(tokens: readonly Token[], at: number): Written {
  const names = [nameOf(tokens[at] as Token), ...qualifiers(tokens, at)];
  return [[raw(quoted(names.at(-1) ?? ""), tokens[at]?.space)], at + 1 + 2 * (names.length - 1)];
}

/** `AS fired (rule)` and `fired (rule)` after UNNEST(…), `AS varchar(10)` in CAST, and `WITH named (a, b) AS (` call nothing. */
function isNoCall(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1];
  if (before?.upper === "AS" || before?.text === ")") return true;
  const after = closing(tokens, at + 1) + 1;
  return tokens[after]?.upper === "AS" && tokens[after + 1]?.text === "(";
}

function nowAt(tokens: readonly Token[], at: number, nowMs: number): Written | undefined {
  const token = tokens[at] as Token;
  const time = new Date(nowMs).toISOString();
  if (token.upper === "CURRENT_DATE") return [[raw(`DATE '${time.slice(0, 10)}'`, token.space)], at + 1];
  if (token.upper === "CURRENT_TIMESTAMP") return [[raw(`TIMESTAMPTZ '${time}'`, token.space)], at + 1];
  if (token.upper === "NOW" && tokens[at + 1]?.text === "(") return [[raw(`TIMESTAMPTZ '${time}'`, token.space)], at + 3];
  return undefined;
}

function callAt(tokens: readonly Token[], at: number, writing: Writing): Written {
  const token = tokens[at] as Token;
  if (token.upper === "CAST" || token.upper === "INTERVAL") return [[token], at + 1];
  const close = closing(tokens, at + 1);
  const inside = tokens.slice(at + 2, close);
  const isDistinct = inside[0]?.upper === "DISTINCT";
  const args = commaSeparated(inside).map((part) => textOf(write(part, writing)).trim());
  const name = nameOf(token);
  const written = rewriteCall(name, args);
  if (written === undefined) return [[token], at + 1];
  if (isDistinct) throw new DialectError(`${name}(DISTINCT …) is not supported by the local Athena: use it without DISTINCT.`);
  return [[raw(written, token.space)], close + 1];
}

/** `features.amount` and `e.features.amount` → `(features).amount`: PostgreSQL takes the first name for a table otherwise. */
function structAt(tokens: readonly Token[], at: number, { structs }: Writing): Written | undefined {
  const isQualified = tokens[at + 1]?.text === "." && structs.has(nameOf(tokens[at + 2] ?? raw("")));
  const column = isQualified ? at + 2 : at;
  const token = tokens[column];
  if (token === undefined || !structs.has(nameOf(token)) || tokens[column + 1]?.text !== ".") return undefined;
  const path = tokens.slice(at, column + 1).map(({ text }) => text);
  return [[raw(`(${path.join("")})`, tokens[at]?.space)], column + 1];
}
