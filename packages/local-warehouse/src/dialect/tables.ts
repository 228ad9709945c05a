/**
 * CREATE TABLE and ALTER TABLE without the attributes of Redshift's storage. Primary keys, unique and foreign keys are dropped: Redshift treats them
 * as hints and enforces none, so a local table that did would hide bugs.
 */
import { closing, commaSeparated, DialectError, isSequence, raw, type Token } from "./lexer";

const HINTS = new Set(["PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT"]);

export function rewriteCreateTable(tokens: readonly Token[]): Token[] {
  const table = tokens.findIndex((token) => token.upper === "TABLE");
  const head = tokens.slice(0, table + 1);
  let at = table + 1;
  if (isSequence(tokens, at, ["IF", "NOT", "EXISTS"])) at += 3;
  at += 1;
  while (tokens[at]?.text === ".") at += 2;
  const name = tokens.slice(table + 1, at);
  if (tokens[at]?.text !== "(") {
    const next = skipAttributes(tokens, at);
    return [...head, ...name, ...tokens.slice(next)];
  }
  const close = closing(tokens, at);
  const elements = commaSeparated(tokens.slice(at + 1, close))
    .filter((element) => !HINTS.has(element[0]?.upper ?? ""))
    .map(rewriteColumn);
  const next = skipAttributes(tokens, close + 1);
  const body = elements.flatMap((element, index) => (index === 0 ? element : [raw(",", ""), ...element]));
  return [...head, ...name, raw("("), ...body, raw(")", ""), ...tokens.slice(next)];
}

/** ADD COLUMN takes the attributes that a column of CREATE TABLE does. */
export function rewriteAlterTable(tokens: readonly Token[]): Token[] {
  const add = tokens.findIndex((token) => token.upper === "ADD");
  if (add < 0) return [...tokens];
  if (HINTS.has(tokens[add + 1]?.upper ?? "")) {
    throw new DialectError("ALTER TABLE … ADD of a key is a hint on Redshift that nothing enforces: declare it in CREATE TABLE.");
  }
  return [...tokens.slice(0, add), ...rewriteColumn(tokens.slice(add))];
}

function rewriteColumn(tokens: readonly Token[]): Token[] {
  if (tokens[0]?.upper === "LIKE") return tokens.filter((token) => token.upper !== "EXCLUDING");
  const isRequired = tokens.some((_, at) => isSequence(tokens, at, ["NOT", "NULL"]));
  const column: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    const token = tokens[at] as Token;
    if (at === 0) {
      column.push(token);
      at += 1;
    } else if (token.upper === "ENCODE") {
      at += 2;
    } else if (token.upper === "DISTKEY" || token.upper === "SORTKEY" || token.upper === "UNIQUE") {
      at += 1;
    } else if (isSequence(tokens, at, ["PRIMARY", "KEY"])) {
      if (!isRequired) column.push(raw("NOT NULL"));
      at += 2;
    } else if (token.upper === "REFERENCES") {
      at = tokens[at + 2]?.text === "(" ? closing(tokens, at + 2) + 1 : at + 2;
    } else if (token.upper === "TEXT" && at === 1) {
      column.push(raw("varchar(256)")); // what Redshift makes of TEXT
      at += 1;
    } else {
      column.push(token);
      at += 1;
    }
  }
  return column;
}

/** Skips BACKUP, DISTSTYLE, DISTKEY (…), SORTKEY …, ENCODE AUTO. @throws DialectError for anything else before AS */
function skipAttributes(tokens: readonly Token[], start: number): number {
  let at = start;
  while (at < tokens.length) {
    const word = tokens[at]?.upper;
    if (word === "AS") return at;
    if (word === "BACKUP" || word === "DISTSTYLE" || word === "ENCODE") at += 2;
    else if (word === "COMPOUND" || word === "INTERLEAVED") at += 1;
    else if (word === "DISTKEY" || word === "SORTKEY") at = tokens[at + 1]?.text === "(" ? closing(tokens, at + 1) + 1 : at + 2;
    else
      throw new DialectError(
        `${tokens[at]?.text ?? ""} after the columns of CREATE TABLE is not supported by the local warehouse.`,
      );
  }
  return at;
}
