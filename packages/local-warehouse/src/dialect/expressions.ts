/** Functions and types with another syntax. Those that only have another name are PostgreSQL functions: see ../helpers.ts. */
import { closing, commaSeparated, isSequence, raw, type Token, textOf } from "./lexer";

type Call = (args: readonly string[], name: string) => string;

/** A date part may be a bare word: DATEADD(day, 1, x). */
const withDatePart: Call = ([part = "", ...others], name) =>
  `${name}('${part.replace(/['"]/g, "").toLowerCase()}', ${others.join(", ")})`;

const CALLS: Readonly<Record<string, Call>> = {
  NVL: (args) => `COALESCE(${args.join(", ")})`,
  DATEDIFF: withDatePart,
  DATEADD: withDatePart,
};

export function rewriteExpressions(tokens: readonly Token[]): Token[] {
  const result: Token[] = [];
  for (let at = 0; at < tokens.length; ) {
    const [written, next] = rewriteAt(tokens, at);
    result.push(...written);
    at = next;
  }
  return result;
}

function rewriteAt(tokens: readonly Token[], at: number): readonly [readonly Token[], number] {
  const token = tokens[at] as Token;
  const isName = tokens[at - 1]?.text === ".";
  if (token.kind !== "word" || isName) return [[token], at + 1];
  const isCall = tokens[at + 1]?.text === "(";
  if (token.upper === "SUPER" && isType(tokens, at)) return [[raw("jsonb", token.space)], at + 1];
  if (!isCall) return [[token], at + 1];
  const close = closing(tokens, at + 1);
  const inside = tokens.slice(at + 2, close);
  if (token.upper === "LISTAGG") return listAggregate(tokens, token, inside, close);
  const call = Object.hasOwn(CALLS, token.upper) ? CALLS[token.upper] : undefined;
  if (call === undefined) return [[token], at + 1];
  const args = commaSeparated(inside).map((part) => textOf(rewriteExpressions(part)).trim());
  return [[raw(call(args, token.text), token.space)], close + 1];
}

/** SUPER is a type after a name or a cast, and may be a name elsewhere. */
function isType(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1];
  return before?.text === "::" || before?.upper === "AS" || before?.kind === "word" || before?.kind === "quoted";
}

function listAggregate(
  tokens: readonly Token[],
  token: Token,
  inside: readonly Token[],
  close: number,
): readonly [Token[], number] {
  const isDistinct = inside[0]?.upper === "DISTINCT";
  const [value = [], separator] = commaSeparated(isDistinct ? inside.slice(1) : inside);
  const delimiter = separator === undefined ? "''" : textOf(rewriteExpressions(separator)).trim();
  let order = "";
  let end = close + 1;
  if (isSequence(tokens, end, ["WITHIN", "GROUP", "("])) {
    const last = closing(tokens, end + 2);
    order = ` ${textOf(rewriteExpressions(tokens.slice(end + 3, last))).trim()}`;
    end = last + 1;
  }
  const argument = textOf(rewriteExpressions(value)).trim();
  return [[raw(`string_agg(${isDistinct ? "DISTINCT " : ""}(${argument})::text, ${delimiter}${order})`, token.space)], end];
}
