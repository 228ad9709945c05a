/** CloudWatch Logs filter patterns: terms and JSON selectors. Space-delimited `[…]` and regular-expression `%…%` patterns are refused. */
import { AwsError } from "../../contracts";
import { matchesWildcard } from "../../gateway/permissions/conditions";

export type LineTest = (line: string) => boolean;

function refuse(pattern: string, reason: string): AwsError {
  return new AwsError("InvalidParameterException", `filterPattern ${pattern}: ${reason}.`);
}

export function compileFilter(pattern: string): LineTest {
  const trimmed = pattern.trim();
  if (trimmed === "") return () => true;
  if (trimmed.startsWith("[") || trimmed.includes("%"))
    throw refuse(
      pattern,
      "space-delimited and regular-expression patterns are not supported by the local runtime; use terms or a JSON selector",
    );
  if (trimmed.startsWith("{")) return jsonFilter(pattern, trimmed);
  const terms = [...trimmed.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map((match) => ({
    sign: match[1],
    text: match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "",
  }));
  const optional = terms.filter((term) => term.sign === "?");
  const required = terms.filter((term) => term.sign === "");
  const excluded = terms.filter((term) => term.sign === "-");
  // AWS ignores ?terms beside other terms.
  const onlyOptional = optional.length === terms.length;
  return (line) =>
    required.every((term) => line.includes(term.text)) &&
    !excluded.some((term) => line.includes(term.text)) &&
    (!onlyOptional || optional.some((term) => line.includes(term.text)));
}

type JsonTest = (value: unknown) => boolean;

function jsonFilter(pattern: string, text: string): LineTest {
  if (!text.endsWith("}")) throw refuse(pattern, "a JSON selector ends with }");
  const inner = text.slice(1, -1);
  const tokens =
    inner.match(/\s*("(?:[^"\\]|\\.)*"|&&|\|\||!=|<=|>=|[=<>()]|[^\s=<>!()&|"]+)/g)?.map((token) => token.trim()) ?? [];
  if (tokens.join("").replace(/\s/g, "") !== inner.replace(/\s/g, ""))
    throw refuse(pattern, "it holds characters that do not belong to a JSON selector");
  let index = 0;
  const next = () => tokens[index++] ?? "";
  const either = (): JsonTest => {
    const tests = [both()];
    while (tokens[index] === "||") {
      index++;
      tests.push(both());
    }
    return (value) => tests.some((test) => test(value));
  };
  const both = (): JsonTest => {
    const tests = [single()];
    while (tokens[index] === "&&") {
      index++;
      tests.push(single());
    }
    return (value) => tests.every((test) => test(value));
  };
  const single = (): JsonTest => {
    const token = next();
    if (token === "(") {
      const test = either();
      if (next() !== ")") throw refuse(pattern, "a parenthesis is not closed");
      return test;
    }
    if (!/^\$(\.[\w-]+|\[\d+\])+$/.test(token)) throw refuse(pattern, `expected a selector such as $.level, got "${token}"`);
    return comparison(pattern, token, next(), next);
  };
  const test = either();
  if (index < tokens.length) throw refuse(pattern, `unexpected "${tokens[index]}"`);
  return (line) => {
    const start = line.indexOf("{");
    if (start < 0) return false;
    try {
      return test(JSON.parse(line.slice(start)));
    } catch {
      // A line that is not JSON never matches a JSON selector.
      return false;
    }
  };
}

function comparison(pattern: string, selector: string, operator: string, next: () => string): JsonTest {
  const keys = [...selector.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map((match) => match[1] ?? match[2] ?? "");
  const read = (value: unknown) =>
    keys.reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
          ? (inner as Record<string, unknown>)[key]
          : undefined,
      value,
    );
  const word = operator.toUpperCase();
  if (word === "IS") {
    const constant = next().toUpperCase();
    const wanted = constant === "NULL" ? null : constant === "TRUE" ? true : constant === "FALSE" ? false : undefined;
    if (wanted === undefined) throw refuse(pattern, `IS takes NULL, TRUE or FALSE, got "${constant}"`);
    return (value) => read(value) === wanted;
  }
  if (word === "NOT" && next().toUpperCase() === "EXISTS") return (value) => read(value) === undefined;
  if (!["=", "!=", "<", "<=", ">", ">="].includes(operator)) throw refuse(pattern, `unknown operator "${operator}"`);
  const operand = next();
  if (operand === "") throw refuse(pattern, `${operator} needs a value`);
  const number = operand.startsWith('"') ? Number.NaN : Number(operand);
  if (!Number.isNaN(number)) {
    return (value) => {
      const actual = read(value);
      if (typeof actual !== "number") return false;
      if (operator === "=") return actual === number;
      if (operator === "!=") return actual !== number;
      if (operator === "<") return actual < number;
      if (operator === "<=") return actual <= number;
      return operator === ">" ? actual > number : actual >= number;
    };
  }
  if (operator !== "=" && operator !== "!=") throw refuse(pattern, `${operator} needs a number, got ${operand}`);
  const text = operand.startsWith('"') ? operand.slice(1, -1).replace(/\\(.)/g, "$1") : operand;
  return (value) => {
    const actual = read(value);
    return (
      (typeof actual === "string" || typeof actual === "boolean") &&
      matchesWildcard(text.replaceAll("?", "\u0000"), String(actual).replaceAll("?", "\u0000")) === (operator === "=")
    );
  };
}
