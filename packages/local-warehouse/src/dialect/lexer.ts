/** Splits Redshift SQL into tokens, so that rewriting never touches strings, quoted names or comments. */

export interface Token {
  readonly kind: "word" | "quoted" | "string" | "number" | "parameter" | "symbol";
  readonly text: string;
  /** Upper case of a word, the text of any other token. */
  readonly upper: string;
  /** Blanks and comments before it. */
  readonly space: string;
}

/** SQL that the local warehouse cannot run as Redshift would. The message names what and, where there is one, the way around. */
export class DialectError extends Error {
  readonly code = "UNSUPPORTED_SQL";
  constructor(message: string) {
    super(message);
    this.name = "DialectError";
  }
}

/** Kinds of token with what they look like, tried in order. Each is sticky. */
export type Patterns = readonly (readonly [Token["kind"], RegExp])[];

const PATTERNS: Patterns = [
  // Redshift reads a backslash inside quotes as an escape.
  ["string", /[Ee]?'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ["string", /\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$/y],
  ["quoted", /"(?:[^"]|"")*"/y],
  ["parameter", /:[A-Za-z_]\w*/y],
  ["number", /(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?/y],
  ["word", /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ["symbol", /::|<=|>=|<>|!=|\|\||->>|->|#>>|#>|@>|<@|!~\*|!~|~\*|[\s\S]/y],
];
const SPACE = /(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/y;

/** @param patterns of another dialect; default Redshift's */
export function lex(sql: string, patterns: Patterns = PATTERNS): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    const space = SPACE.exec(sql)?.[0] ?? "";
    at += space.length;
    if (at >= sql.length) return tokens;
    const token = read(sql, at, { space, previous: tokens.at(-1), patterns });
    tokens.push(token);
    at += token.text.length;
  }
}

interface Place {
  readonly space: string;
  readonly previous: Token | undefined;
  readonly patterns: Patterns;
}

function read(sql: string, at: number, { space, previous, patterns }: Place): Token {
  for (const [kind, pattern] of patterns) {
    // `a::b` is a cast and `[1:2]` a slice: a parameter never follows a colon.
    if (kind === "parameter" && previous?.text === ":" && space === "") continue;
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text === undefined) continue;
    if (kind === "symbol" && (text === "'" || text === '"')) {
      throw new DialectError(`The quote ${text} at character ${at + 1} never ends. Close it.`);
    }
    return { kind, text, upper: kind === "word" ? text.toUpperCase() : text, space };
  }
  throw new DialectError(`The character at ${at + 1} cannot be read.`);
}

export function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => token.space + token.text).join("");
}

/** A token made of any text, put in the place of others. */
export function raw(text: string, space = " "): Token {
  return { kind: "symbol", text, upper: text, space };
}

/** Index of the closing bracket of the one at `open`. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at]?.text === "(") depth += 1;
    if (tokens[at]?.text === ")") depth -= 1;
    if (depth === 0) return at;
  }
  throw new DialectError("A bracket ( is never closed. Close it.");
}

/** Splits at commas outside brackets. */
export function commaSeparated(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [];
  let part: Token[] = [];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === "(" || token.text === "[") depth += 1;
    if (token.text === ")" || token.text === "]") depth -= 1;
    if (token.text === "," && depth === 0) {
      parts.push(part);
      part = [];
    } else {
      part.push(token);
    }
  }
  if (part.length > 0 || parts.length > 0) parts.push(part);
  return parts;
}

/** The words at `at` are exactly these, in upper case. */
export function isSequence(tokens: readonly Token[], at: number, words: readonly string[]): boolean {
  return words.every((word, offset) => tokens[at + offset]?.upper === word && tokens[at + offset]?.kind !== "string");
}

/** A name as written, without its quotes, in the case that Redshift gives it. */
export function nameOf(token: Token): string {
  if (token.kind === "quoted") return token.text.slice(1, -1).replaceAll('""', '"');
  return token.text.toLowerCase();
}

/**
 * The text that a string literal stands for. Redshift reads a backslash inside quotes as an escape.
 * @param what names the place in the error: `COPY: FROM`
 */
export function stringValue(token: Token | undefined, what: string): string {
  if (token?.kind !== "string") throw new DialectError(`${what} expects a string, got ${token?.text ?? "nothing"}.`);
  const [, tag] = /^(\$\w*\$)/.exec(token.text) ?? [];
  if (tag !== undefined) return token.text.slice(tag.length, -tag.length);
  return token.text.slice(token.text.indexOf("'") + 1, -1).replace(/''|\\(.)/gs, (_, escaped?: string) => escaped ?? "'");
}

/** A name in its quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
